import type { HeaderList } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { responseField } from '../../http/response-fields.ts';
import { mergeFields } from './field-rules.ts';

/**
 * `response` with `names` added to its Vary (RFC 9110 section 12.5.5). Several lines become one, no name is listed twice, and `*` stays alone.
 */
export function withVary(response: Response, names: readonly string[]): Response {
  const set = varyField(response, names);
  return set.length === 0 ? response : mergeFields(response, { set });
}

/** The Vary field that `withVary` would set, for callers that set other fields too; an empty list if `response` needs no change. */
export function varyField(response: Response, names: readonly string[]): HeaderList {
  const present = (responseField(response, 'vary') ?? '').split(',').flatMap((name) => name.trim() || []);
  const lower = new Set(present.map((name) => name.toLowerCase()));
  const missing = lower.has('*') ? [] : names.filter((name) => !lower.has(name.toLowerCase()));
  return missing.length === 0 ? [] : ['Vary', [...present, ...missing].join(', ')];
}
