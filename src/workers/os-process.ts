import cluster from 'node:cluster';
import { constants } from 'node:os';

/** Sends a signal to a process, which may have ended. */
export function killProcess(pid: number, signal: NodeJS.Signals | number = 'SIGKILL'): void {
  try {
    if (pid > 0) process.kill(pid, signal);
  } catch {
    // the process has already ended
  }
}

/** Kills a process group, which may have ended. Its id is that of its first process. */
export function killGroup(id: number): void {
  try {
    if (id > 1) process.kill(-id, 'SIGKILL');
  } catch {
    // all of its processes have already ended
  }
}

/** Whether this process may send signals to a process with this id. A reaped one has none. */
export function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether orphans of the application become children of this server, because it is the first process of a container. */
export function isInit(): boolean {
  return process.pid === 1 || (cluster.isWorker && process.ppid === 1);
}

/** The name of the signal with this number: `SIGKILL`. */
export function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}
