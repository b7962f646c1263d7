/** A Ctrl-C arrives twice under npm: from the terminal, and passed on by npm. Two within this time are one. */
const SAME_SIGNAL_MS = 400;

/**
 * Calls `onSignal` for each SIGINT, SIGTERM and SIGHUP. The second of two signals that arrive together is ignored.
 *
 * @param {(signal: NodeJS.Signals) => void} onSignal
 */
export function onEndSignal(onSignal) {
  let last = Number.NEGATIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - last < SAME_SIGNAL_MS) return;
      last = now;
      onSignal(signal);
    });
  }
}
