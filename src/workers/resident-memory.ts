import { readFileSync } from 'node:fs';

/** Whether `residentBytes` knows anything on this system. */
export const KNOWS_RESIDENT_MEMORY = process.platform === 'linux';

/**
 * The resident memory of a process (`VmRSS` of proc_pid_status(5)) in bytes; 0 if it is unknown. What the process shares
 * with the zygote counts. The proportional share (PSS) would not count it in full, but the kernel has to visit every page
 * of a process for it.
 *
 * @param root where `/proc` is
 */
export function residentBytes(pid: number, root = '/'): number {
  try {
    const status = readFileSync(`${root}proc/${pid}/status`, 'latin1');
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it has ended
  }
}
