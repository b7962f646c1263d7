import type { Backend } from '../backend.ts';
import { CHUNKED, PLAIN, type Transport } from '../client/transport.ts';
import { type RequestHeadOptions, RequestHeads } from './request-heads.ts';
import { ResponseHead } from './response-head.ts';

export interface Http1Options extends RequestHeadOptions {
  readonly responseHeadBytesMax: number;
  readonly responseHeadCountMax: number;
}

/** HTTP/1.1 to a backend. */
export function http1(backend: Backend, options: Http1Options): Transport {
  const heads = new RequestHeads(backend, options);
  return {
    head: (request, upgrade) => heads.write(request, upgrade),
    coding: ({ length }) => (length < 0 ? CHUNKED : PLAIN),
    needsLength: false,
    responseHead: () => new ResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => null,
    persists: true,
  };
}
