/**
 * Resolves or rejects as `step` does. When `signal` is aborted first, it rejects with the signal's reason at once. A step that succeeds later
 * nevertheless has its result passed to `dispose`.
 */
export function unlessAborted<T>(
  signal: AbortSignal,
  step: Promise<T>,
  dispose: (late: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    step.then(
      (result) => {
        signal.removeEventListener('abort', abort);
        if (signal.aborted) dispose(result);
        else resolve(result);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    );
  });
}
