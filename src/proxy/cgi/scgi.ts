import { type Dialect, PLAIN } from '../../upstream/exchange/dialect.ts';
import type { GatewayOptions } from './cgi-options.ts';
import { CgiResponseHead } from './cgi-response-head.ts';
import { RequestVariables, type Variables } from './request-params.ts';

/** SCGI: a netstring of variables, then the content. A connection is for one request. */
export function scgi(options: GatewayOptions): Dialect {
  const variables = new RequestVariables(options, encode);
  return {
    head: (request) => netstring(`${variables.write(request)}SCGI\x001\0`),
    coding: () => PLAIN,
    needsLength: true,
    responseHead: () => new CgiResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => null,
    persists: false,
  };
}

/** Each name and value ends with NUL. Fields have none; a path may have one, percent-encoded. */
function encode(variables: Variables): string {
  let text = '';
  for (const part of variables) text += `${part.includes('\0') ? part.replaceAll('\0', '') : part}\0`;
  return text;
}

function netstring(text: string): string {
  return `${text.length}:${text},`;
}
