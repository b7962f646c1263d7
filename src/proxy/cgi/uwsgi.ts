import { PLAIN, type Transport } from '../client/transport.ts';
import type { CgiOptions } from './cgi-options.ts';
import { CgiResponseHead } from './cgi-response-head.ts';
import { RequestParams, type RequestVariables } from './request-params.ts';

/** The length of a packet is a 16-bit number. */
const BYTES_MAX = 65535;

/** The uwsgi protocol: a packet of variables, then the content. Each connection carries one request. */
export function uwsgi(options: CgiOptions): Transport {
  const variables = new RequestParams(options, encode);
  return {
    head: (request) => packet(variables.write(request)),
    coding: () => PLAIN,
    needsLength: true,
    responseHead: () => new CgiResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => null,
    persists: false,
  };
}

/**
 * A packet starts with modifier 0, the length of `variables` in little-endian order, and modifier 0 (a WSGI request).
 */
function packet(variables: string): string | { readonly tooLarge: string } {
  return variables.length > BYTES_MAX ? TOO_LARGE : `\0${length16(variables.length)}\0${variables}`;
}

const TOO_LARGE = { tooLarge: 'the fields do not fit into a uwsgi packet' };

/**
 * Each name and each value follows its length. A value whose length overflows 16 bits makes the whole packet too large
 * anyway.
 */
function encode(variables: RequestVariables): string {
  let text = '';
  for (const part of variables) text += length16(part.length & BYTES_MAX) + part;
  return text;
}

function length16(length: number): string {
  return String.fromCharCode(length & 0xff, length >> 8);
}
