import type { Request } from '../http/message.ts';
import { newRecord } from '../http/request-record.ts';

/** What the lines of the access log have of a request. */
export type LoggedRequest = Pick<Request, 'method' | 'path' | 'query' | 'host' | 'headers' | 'peer' | 'record'> & {
  /** '' if no request could be read. */
  readonly protocol: string;
};

/**
 * Makes the line of an answered request, with its newline. `ms` is the time from the end of the head to the end of the response, `time` what
 * `isoTime` returns now.
 */
export type Line = (request: LoggedRequest, status: number, bodyBytes: number, ms: number, time?: string) => string;

/** What a line has in place of a request that could not be read, because of `reason`. */
export function unreadable(reason: string): Omit<LoggedRequest, 'peer'> {
  return { method: '', path: '', query: '', protocol: '', host: '', headers: [], record: { ...newRecord(), reason } };
}

export function targetOf({ path, query }: LoggedRequest): string {
  return query === '' ? path : `${path}?${query}`;
}

/** The value of the first field `name` (in lower case), or ''. */
export function fieldOf({ headers }: LoggedRequest, name: string): string {
  for (let i = 0; i < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return headers[i + 1] as string;
  }
  return '';
}
