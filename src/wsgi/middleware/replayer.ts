import type { Middleware } from '../contract.ts';
import type { Recording } from './recorder.ts';

export interface ReplayerOptions {
  /** What a recorder has told, in order; or its lines of JSON. */
  readonly recordings: Iterable<Recording> | string;
  /** Whether what was not recorded goes on to the application. Off by default: the answer is 404. */
  readonly fallthrough?: boolean;
}

/**
 * Answers with what was recorded for the same method and target, one after the other where there are several, the last one for ever. So a page can be
 * shown, or a client be tested, without what stands behind the application.
 *
 * @throws SyntaxError for a line that is no JSON
 */
export function replayer({ recordings, fallthrough = false }: ReplayerOptions): Middleware {
  const waiting = new Map<string, Recording[]>();
  for (const recording of typeof recordings === 'string' ? linesOf(recordings) : recordings) {
    const key = `${recording.request.method} ${recording.request.target}`;
    waiting.set(key, [...(waiting.get(key) ?? []), recording]);
  }
  return function replayer(application) {
    return (environ, startResponse) => {
      const found = waiting.get(`${environ.REQUEST_METHOD} ${environ.REQUEST_URI}`);
      const recording = found !== undefined && found.length > 1 ? found.shift() : found?.[0];
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
