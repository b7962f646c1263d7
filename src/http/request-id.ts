import { randomBytes } from 'node:crypto';
import type { Request, RequestRecord } from './message.ts';

/** Distinguishes the ids of this process from those of all others. */
const PREFIX = `${randomBytes(6).toString('hex')}-`;
let made = 0;

/**
 * The id of the request with this record; it is made when it is needed first. Ids of requests differ, also between processes. They are not
 * secret: who knows one can guess others.
 */
export function requestIdOf(record: RequestRecord): string {
  if (record.id === '') {
    made += 1;
    record.id = PREFIX + made.toString(36);
  }
  return record.id;
}

/** Whether `text` can be an id from another server: up to 128 characters of visible ASCII. */
export function isRequestId(text: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(text);
}

/** What the log needs to know of a request. */
export type LoggedPart = Pick<Request, 'method' | 'path' | 'record'>;

/** What an entry of the log has about the request that it belongs to. */
export function requestFields({ method, path, record }: LoggedPart): Record<string, string> {
  const fields = { request: `${method} ${path}`, request_id: requestIdOf(record) };
  return record.route === '' ? fields : { ...fields, route: record.route };
}
