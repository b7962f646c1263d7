import { type Dialect, PLAIN } from '../exchange/dialect.ts';
import { CgiResponseHead } from './cgi-response-head.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { requestVariables, type Variables } from './request-variables.ts';

/** SCGI: a netstring of variables, then the content. A connection is for one request. */
export function scgi(options: GatewayOptions): Dialect {
  return {
    head: (request) => netstring(requestVariables(request, options)),
    coding: () => PLAIN,
    needsLength: true,
    responseHead: () => new CgiResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => null,
    persists: false,
  };
}

/** CONTENT_LENGTH must be the first, and SCGI says that it is SCGI. No value holds a NUL: fields were checked, and paths are cut there. */
function netstring(variables: Variables): string {
  let length = '';
  let rest = '';
  for (let i = 0; i < variables.length; i += 2) {
    const item = `${variables[i]}\0${(variables[i + 1] as string).replaceAll('\0', '')}\0`;
    if (variables[i] === 'CONTENT_LENGTH') length = item;
    else rest += item;
  }
  const text = `${length}SCGI\x001\0${rest}`;
  return `${text.length}:${text},`;
}
