import { type Dialect, PLAIN } from '../exchange/dialect.ts';
import { CgiResponseHead } from './cgi-response-head.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { requestVariables, type Variables } from './request-variables.ts';

/** A packet says how long it is in 16 bits. */
const BYTES_MAX = 65535;

/** The uwsgi protocol: a packet of variables, then the content. A connection is for one request. */
export function uwsgi(options: GatewayOptions): Dialect {
  return {
    head: (request) => uwsgiPacket(requestVariables(request, options)),
    coding: () => PLAIN,
    needsLength: true,
    responseHead: () => new CgiResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => null,
    persists: false,
  };
}

/** Modifiers 0 and 0 (a WSGI request), the length of the rest, then each name and value behind its length, little-endian. */
function uwsgiPacket(variables: Variables): string | { readonly tooLarge: string } {
  let rest = '';
  for (const text of variables) {
    if (text.length > BYTES_MAX) return TOO_LARGE;
    rest += length16(text.length) + text;
  }
  return rest.length > BYTES_MAX ? TOO_LARGE : `\0${length16(rest.length)}\0${rest}`;
}

const TOO_LARGE = { tooLarge: 'the fields do not fit into a uwsgi packet' };

function length16(length: number): string {
  return String.fromCharCode(length & 0xff, length >> 8);
}
