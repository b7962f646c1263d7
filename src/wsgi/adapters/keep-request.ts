/** Requests that are not answered yet. */
const kept = new Set<Request>();

/**
 * Calls `answer` and waits for its result. Meanwhile `request` does not become garbage, unless its signal is aborted: Node would not abort
 * the signal any more, and whatever waits only for that would be garbage too.
 */
export async function keepRequest<T>(request: Request, answer: () => T | Promise<T>): Promise<T> {
  const { signal } = request;
  const release = (): void => void kept.delete(request);
  kept.add(request);
  signal.addEventListener('abort', release, { once: true });
  try {
    return await answer();
  } finally {
    signal.removeEventListener('abort', release);
    release();
  }
}
