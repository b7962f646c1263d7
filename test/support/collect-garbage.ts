import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects all garbage of this process at once. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Collects garbage several times, with turns of the event loop between them: what a callback still holds goes with it. */
export async function collectGarbageRepeatedly(): Promise<void> {
  for (let i = 0; i < 5; i += 1) {
    collectGarbage();
    await setImmediate();
  }
}
