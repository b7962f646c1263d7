import { ViaductError } from '../../errors.ts';
import { requestField } from '../../http/derived-request.ts';
import type { Request } from '../../http/message.ts';
import { addressKey, valueKey } from '../../http/semantics/client-key.ts';
import type { Placeholders } from '../../placeholders/placeholders.ts';
import { fillTemplate, parseTemplate } from '../../placeholders/template.ts';

/**
 * How clients are distinguished: by address (of IPv6 by the first 64 bits, the network of one customer), by the value of a request's
 * field or of a text with placeholders, or not at all, so that all share one count. A request without the value counts by address: a
 * client gains nothing by leaving it out.
 */
export type LimitPer = 'address' | 'route' | LimitPerValue;

/** One of these. */
export interface LimitPerValue {
  /** Name of the field. */
  readonly header?: string | undefined;
  /** A text with placeholders, such as `{cookie.session}`. */
  readonly text?: string | undefined;
}

/**
 * Returns the function that computes a request's key.
 *
 * @throws ViaductError `SETTINGS` for a placeholder that does not exist, and without or with two values
 */
export function limitKey(per: LimitPer, placeholders: Placeholders): (request: Request) => string {
  if (per === 'route') return () => '';
  if (per === 'address') return ({ peer }) => addressKey(peer.remoteAddress);
  const { header, text } = per;
  if ((header === undefined) === (text === undefined)) {
    throw new ViaductError('SETTINGS', 'Cannot distinguish clients: per needs one value', {
      advice: 'Write either header or text.',
    });
  }
  if (header !== undefined) {
    const name = header.toLowerCase();
    return (request) => valueKey(request, requestField(request, name) ?? '');
  }
  const template = parseTemplate(text as string, placeholders, { setting: 'per' });
  return (request) => valueKey(request, fillTemplate(template, request));
}
