import { after, afterEach } from 'node:test';

/** How long a test keeps what it starts. The context of a test is a lifetime; the functions below make others. */
export interface Lifetime {
  /** Calls `release` when the lifetime is over. */
  after(release: () => void | Promise<void>): void;
}

/**
 * The lifetime of a `describe`, for what its `before` hook starts. Call this function in the body of the `describe`, before the body
 * registers an `after` hook of its own.
 */
export function suiteLifetime(): Lifetime {
  return nestedLifetime({ after });
}

/** The lifetime of each test in a `describe`, for what its `beforeEach` hook starts, and for functions that its tests share. */
export function eachTestLifetime(): Lifetime {
  return nestedLifetime({ after: afterEach });
}

/** A lifetime that is over when `t` is over. It releases in reverse order, so that nothing goes before what depends on it. */
export function nestedLifetime(t: Lifetime): Lifetime {
  const releases: (() => void | Promise<void>)[] = [];
  t.after(async () => {
    const errors: unknown[] = [];
    for (const release of releases.splice(0).reverse()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
  return { after: (release) => void releases.push(release) };
}
