import type { HeaderList } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { responseField } from '../../http/response-fields.ts';
import { mergeFields } from './field-rules.ts';

/**
 * `response` with `names` among those in its Vary (RFC 9110 section 12.5.5): lines of that name become one, no name stands there twice, and `*`
 * stays alone.
 */
export function withVary(response: Response, names: readonly string[]): Response {
  const set = varyField(response, names);
  return set.length === 0 ? response : mergeFields(response, { set });
}

/** The Vary that `withVary` would set, for who sets other fields with it; an empty list where that of `response` says enough. */
export function varyField(response: Response, names: readonly string[]): HeaderList {
  const present = (responseField(response, 'vary') ?? '').split(',').flatMap((name) => name.trim() || []);
  const lower = new Set(present.map((name) => name.toLowerCase()));
  const missing = lower.has('*') ? [] : names.filter((name) => !lower.has(name.toLowerCase()));
  return missing.length === 0 ? [] : ['Vary', [...present, ...missing].join(', ')];
}
