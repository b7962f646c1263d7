import { ViaductError } from '../../errors.ts';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { CidrList } from '../../http/semantics/cidr.ts';

/** Ranges as `CidrList.parse` reads them. */
export interface AddressListOptions {
  /** Who may come in; everybody when it is left out. */
  readonly allow?: readonly string[];
  /** Who may not, though in `allow`. */
  readonly deny?: readonly string[];
}

/**
 * Answers clients whose address is not allowed, or denied, with 403. The address is the peer's: behind a proxy the one that a trusted proxy tells.
 *
 * @throws ViaductError `SETTINGS` that names a range that is none, and for a `deny` of `all` beside an `allow`, which would allow nobody.
 */
export function addressList({ allow, deny = [] }: AddressListOptions): Handler {
  if (allow !== undefined && deny.includes('all')) {
    throw new ViaductError('SETTINGS', 'Cannot deny "all" beside allow: nobody could come in', {
      advice: 'Leave deny out: who is not in allow is denied.',
    });
  }
  const allowed = allow === undefined ? null : CidrList.parse(allow);
  const denied = deny.length === 0 ? null : CidrList.parse(deny);

  return function addressList(request, next) {
    const { remoteAddress } = request.peer;
    const isIn = (allowed === null || allowed.matches(remoteAddress)) && !denied?.matches(remoteAddress);
    return isIn ? next(request) : Response.text(403, 'Forbidden\n');
  };
}
