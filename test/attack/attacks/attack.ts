import type { Target } from '../target.ts';

/** Something hostile that a client or a user of the same machine can do. */
export interface Attack {
  readonly name: string;
  /** What the server promises against it, as a sentence of the security page. */
  readonly promise: string;
  /** Attacks. Throws if the promise is broken. What stays behind is counted by the caller. */
  run(target: Target, random: () => number): Promise<void>;
}

/** Runs `each` for the numbers from 0, all at the same time. */
export async function together(count: number, each: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => each(index)));
}
