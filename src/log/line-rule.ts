import type { RequestRecord } from '../http/message.ts';
import { requestIdOf } from '../http/request-id.ts';

/** Which requests of a route have a line in the access log. */
export interface LineRule {
  /** The share of requests that have one, from 0 to 1. */
  readonly sample: number;
  /** Whether all errors have one: a status from 400, or a reason. */
  readonly errors: boolean;
  /** All requests that took so long have one; 0 for none. */
  readonly slowMs: number;
}

/** Whether a request that took `ms` has a line by `rule`. */
export function hasLine({ sample, errors, slowMs }: LineRule, record: RequestRecord, status: number, ms: number) {
  if (errors && (status >= 400 || record.reason !== '')) return true;
  if (slowMs > 0 && ms >= slowMs) return true;
  return sample >= 1 || (sample > 0 && position(requestIdOf(record)) < sample);
}

/**
 * The position of an id between 0 and 1, the same in every process. So all servers that know the id of a request choose
 * alike. It is FNV-1a, with the last steps of MurmurHash3, because ids that are made in a row differ at their ends.
 */
function position(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x100000000;
}
