/** What a reload does before it is final. Several server processes do each step together, or go back together. */
export interface Agreement {
  /** Chooses the clients of `share`. It is the same in all server processes, so that a client gets one release from all of them. */
  readonly seed: number;
  /**
   * Resolves when all server processes are as far: the new release is `prepared` and has answered its probes, or it is `proved` by its
   * requests.
   */
  reached(step: ReloadStep): Promise<void>;
}

export type ReloadStep = 'prepared' | 'proved';

/** For a server without other processes. */
export function aloneAgreement(): Agreement {
  return { seed: Date.now() >>> 0, reached: () => Promise.resolve() };
}
