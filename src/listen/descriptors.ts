import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How many descriptors must be free. Files, backends and Python need some too. */
const FREE_MIN = 16;

/** How many descriptors this process may have open; infinite where the system does not say it (`/proc` of Linux). */
export function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Whether the process has nearly `limit` descriptors. The kernel gives out the lowest number that is free. */
export function isNearLimit(socket: Socket, limit: number): boolean {
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd?: number } | null };
  return (handle?.fd ?? 0) >= limit - FREE_MIN;
}
