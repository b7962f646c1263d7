import type { Response } from '../http/response.ts';
import { responseField } from '../http/response-fields.ts';
import { mergeFields } from './field-rules.ts';

/**
 * `response` with `names` among those in its Vary (RFC 9110 section 12.5.5): lines of that name become one, no name stands there twice, and `*`
 * stays alone.
 */
export function withVary(response: Response, names: readonly string[]): Response {
  const value = responseField(response, 'vary');
  if (value === null) return mergeFields(response, { add: ['Vary', names.join(', ')] });
  const present = value.split(',').map((name) => name.trim());
  const lower = new Set(present.map((name) => name.toLowerCase()));
  if (lower.has('*')) return response;
  const missing = names.filter((name) => !lower.has(name.toLowerCase()));
  if (missing.length === 0) return response;
  return mergeFields(response, { set: ['Vary', [...present.filter(Boolean), ...missing].join(', ')] });
}
