import { type Dialect, PLAIN } from '../../upstream/exchange/dialect.ts';
import type { GatewayOptions } from './cgi-options.ts';
import { CgiResponseHead } from './cgi-response-head.ts';
import { RequestVariables, type Variables } from './request-params.ts';

/** A packet says how long it is in 16 bits. */
const BYTES_MAX = 65535;

/** The uwsgi protocol: a packet of variables, then the content. A connection is for one request. */
export function uwsgi(options: GatewayOptions): Dialect {
  const variables = new RequestVariables(options, encode);
  return {
    head: (request) => packet(variables.write(request)),
    coding: () => PLAIN,
    needsLength: true,
    responseHead: () => new CgiResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => null,
    persists: false,
  };
}

/** Modifiers 0 and 0 (a WSGI request), and between them how long `variables` are, little-endian. */
function packet(variables: string): string | { readonly tooLarge: string } {
  return variables.length > BYTES_MAX ? TOO_LARGE : `\0${length16(variables.length)}\0${variables}`;
}

const TOO_LARGE = { tooLarge: 'the fields do not fit into a uwsgi packet' };

/** Each name and value behind its length. What is too long for that is too long for the packet. */
function encode(variables: Variables): string {
  let text = '';
  for (const part of variables) text += length16(part.length & BYTES_MAX) + part;
  return text;
}

function length16(length: number): string {
  return String.fromCharCode(length & 0xff, length >> 8);
}
