import type { Middleware } from '../contract.ts';
import type { Recording } from './recorder.ts';

/** Options of `replayer`. */
export interface ReplayerOptions {
  /** The recordings of a `recorder` in order, or a string with one line of JSON for each. */
  readonly recordings: Iterable<Recording> | string;
  /** Passes a request that was not recorded to the application. `false` by default: the answer is 404. */
  readonly fallthrough?: boolean;
}

/**
 * Answers with the responses that were recorded for the same method and target (path and query), one after the other. The last response is repeated. So a
 * client can be tested without the services that the application needs.
 *
 * @throws SyntaxError for a line that is not JSON
 */
export function replayer({ recordings, fallthrough = false }: ReplayerOptions): Middleware {
  const waiting = new Map<string, Recording[]>();
  for (const recording of typeof recordings === 'string' ? linesOf(recordings) : recordings) {
    const key = `${recording.request.method} ${recording.request.target}`;
    waiting.set(key, [...(waiting.get(key) ?? []), recording]);
  }
  return function replayer(application) {
    return (environ, startResponse) => {
      const recorded = waiting.get(`${environ.REQUEST_METHOD} ${environ.REQUEST_URI}`);
      const recording = recorded !== undefined && recorded.length > 1 ? recorded.shift() : recorded?.[0];
      if (recording !== undefined) {
        startResponse(recording.response.status, recording.response.headers);
        return [Buffer.from(recording.response.body, 'base64')];
      }
      if (fallthrough) return application(environ, startResponse);
      startResponse('404 Not Found', [['Content-Type', 'text/plain; charset=utf-8']]);
      return [Buffer.from('Not recorded\n')];
    };
  };
}

function linesOf(text: string): Recording[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Recording);
}
