const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A Ctrl-C can arrive twice, from the terminal and from a parent such as npm that passes it on. Two within this time count as one. */
const SAME_INTERRUPT_MS = 400;

/** A server that can stop gracefully, and at once. */
interface Stoppable {
  stop(): Promise<void>;
  kill(): void;
}

/**
 * Stops `server` at the first SIGINT or SIGTERM, then ends the process with code 0; with 1 when the server could not stop. A second signal ends it at
 * once, with 128 and the signal's number.
 *
 * @returns a function that leaves the signals to the program again, unless one of them is stopping the server already
 */
export function stopOnSignals(server: Stoppable): () => void {
  let stoppingSinceMs: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stoppingSinceMs === null) {
      stoppingSinceMs = performance.now();
      server.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    } else if (signal !== 'SIGINT' || performance.now() - stoppingSinceMs >= SAME_INTERRUPT_MS) {
      server.kill();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    if (stoppingSinceMs !== null) return;
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
