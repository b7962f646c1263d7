import { readlinkSync } from 'node:fs';

/** The PID namespace of this process (pid_namespaces(7)), such as `pid:[4026531836]`; null on a system without /proc. */
export function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}
