import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Longest wait for something that must come. A test that waits longer has failed. */
export const PATIENCE_MS = 60_000;

const TICK_MS = 50;
/** Longest pause between two checks of a condition. The first pauses are shorter, because most conditions are true soon. */
const PAUSE_MS_MAX = 20;

/**
 * Runs `work`. Throws if `work` takes longer than `ms`; `goal` names what it waits for. The time is counted in ticks of this process: while
 * the process itself stands still, for example in `spawnSync`, nobody waits.
 */
export function within<T>(ms: number, goal: string, work: () => Promise<T>): Promise<T> {
  return limited(ms, `waited ${ms} ms in vain for ${goal}`, work);
}

/**
 * Checks `condition` until it is true, each 20 ms in the end. For a condition that no event reports, such as the end of another's child
 * process. While a file that it reads does not exist, it is not true.
 */
export function eventually(goal: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  return limited(PATIENCE_MS, `waited ${PATIENCE_MS} ms in vain until ${goal}`, async (isLate) => {
    for (let pauseMs = 1; !(await holds(condition)) && !isLate(); pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX))
      await delay(pauseMs);
  });
}

async function holds(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await condition();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function limited<T>(ms: number, message: string, work: (isLate: () => boolean) => Promise<T>): Promise<T> {
  let waitedMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      waitedMs += TICK_MS;
      if (waitedMs >= ms) reject(new Error(message));
    }, TICK_MS);
  });
  try {
    return await Promise.race([late, work(() => waitedMs >= ms)]);
  } finally {
    clearInterval(timer);
  }
}

/** Waits until `count` stays the same while the event loop turns many times. Returns the last count. */
export async function untilStable(count: () => number): Promise<number> {
  let last = count();
  for (let turns = 0; turns < 3000; turns += 1) {
    await new Promise(setImmediate);
    if (count() === last) continue;
    last = count();
    turns = 0;
  }
  return last;
}

/** Returns a promise, and the function that resolves it. */
export function createSignal(): { readonly happened: Promise<void>; happen(): void } {
  let happen = (): void => {};
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}

/** True while a process with this id runs. A process that has exited but was not collected yet does not run. */
export function isRunning(pid: number): boolean {
  if (existsSync('/proc/self/stat')) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return !['Z', 'X'].includes(stat.charAt(stat.lastIndexOf(')') + 2));
    } catch {
      return false;
    }
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
