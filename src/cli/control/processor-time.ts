import { readdirSync, readFileSync } from 'node:fs';

/** What a process has had of processors since its start, with all its threads, in milliseconds. */
export interface ProcessorTime {
  readonly usedMs: number;
  /** How long its threads could run, and other ones had the processors. */
  readonly waitedMs: number;
}

/** proc_pid_stat(5) counts in hundredths of a second. */
const TICK_MS = 10;

/** Places of `utime` and `stime` in proc_pid_stat(5), behind the name of the program, which may have spaces and parentheses. */
const USER = 11;
const SYSTEM = 12;

/**
 * The processor time of a process, by proc_pid_stat(5) and the schedstat of its threads; null if it is unknown.
 *
 * @param root where `/proc` is
 */
export function processorTime(pid: number, root = '/'): ProcessorTime | null {
  const directory = `${root}proc/${pid}`;
  try {
    const stat = readFileSync(`${directory}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const usedMs = (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_MS;
    const threads = readdirSync(`${directory}/task`);
    return { usedMs, waitedMs: threads.reduce((sum, thread) => sum + waitOf(`${directory}/task/${thread}`), 0) };
  } catch {
    return null; // it has ended, or the system has no /proc
  }
}

/** The second number of `schedstat` is the time in the queue of a processor, in nanoseconds. A kernel may be built without it. */
function waitOf(thread: string): number {
  try {
    return Number(readFileSync(`${thread}/schedstat`, 'latin1').split(' ')[1]) / 1e6 || 0;
  } catch {
    return 0; // this thread has ended meanwhile
  }
}
