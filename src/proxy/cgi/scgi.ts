import { PLAIN, type Transport } from '../client/transport.ts';
import type { CgiOptions } from './cgi-options.ts';
import { CgiResponseHead } from './cgi-response-head.ts';
import { RequestParams, type RequestVariables } from './request-params.ts';

/** SCGI: a netstring of variables, then the content. Each connection carries one request. */
export function scgi(options: CgiOptions): Transport {
  const variables = new RequestParams(options, encode);
  return {
    head: (request) => netstring(`${variables.write(request)}SCGI\x001\0`),
    coding: () => PLAIN,
    needsLength: true,
    responseHead: () => new CgiResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => null,
    persists: false,
  };
}

/** Each name and each value ends with NUL. Fields contain no NUL, but a decoded path may; it is removed. */
function encode(variables: RequestVariables): string {
  let text = '';
  for (const part of variables) text += `${part.includes('\0') ? part.replaceAll('\0', '') : part}\0`;
  return text;
}

function netstring(text: string): string {
  return `${text.length}:${text},`;
}
