import { ViaductError } from '../../errors.ts';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { CidrList } from '../../http/semantics/cidr.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined } from '../options.ts';

/** Ranges as `CidrList.parse` reads them. */
export interface AddressListOptions {
  /** Clients that may come in; everybody by default. */
  readonly allow?: readonly string[];
  /** Clients that may not come in, even if they are in `allow`. */
  readonly deny?: readonly string[];
}

/**
 * Allows and denies clients by address: a client that is not allowed, or is denied, gets 403. Behind a trusted proxy the address is the one that the proxy
 * reports.
 *
 * @throws ViaductError `SETTINGS` that names an invalid range, and for `all` in `deny` together with `allow`, because nobody could come in
 */
export function addressList({ allow, deny = [] }: AddressListOptions): Handler {
  if (allow !== undefined && deny.includes('all')) {
    throw new ViaductError('SETTINGS', 'Cannot deny "all" together with allow: nobody could come in', {
      advice: 'Remove deny: a client that is not in allow is denied.',
    });
  }
  const allowed = allow === undefined ? null : CidrList.parse(allow);
  const denied = deny.length === 0 ? null : CidrList.parse(deny);

  return function addressList(request, next) {
    const { remoteAddress } = request.peer;
    const isAllowed = (allowed === null || allowed.matches(remoteAddress)) && !denied?.matches(remoteAddress);
    return isAllowed ? next(request) : Response.text(403, 'Forbidden\n');
  };
}

/** `access` in a configuration. */
export const addressListFeature = describeFeature({
  key: 'access',
  scope: 'site',
  description: 'Allows and denies clients by their address.',
  page: 'handlers.md#access',
  schema: ({ feature, listOf, words }) =>
    feature({
      allow: listOf(words('an address range'))
        .optional()
        .meta({ description: 'Addresses, ranges and words for clients that may come in.', defaultText: 'everybody' }),
      deny: listOf(words('an address range')).optional().meta({
        description: 'The same for clients that may not come in. They win over allow.',
        defaultText: 'nobody',
      }),
    }),
  create: ({ allow, deny }) => addressList(omitUndefined({ allow, deny })),
});
