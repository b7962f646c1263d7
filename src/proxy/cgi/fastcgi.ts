import {
  BEGIN_REQUEST,
  KEEP_CONN,
  nameValue,
  PARAMS,
  RECORD_CONTENT_MAX,
  RESPONDER,
  recordHead,
  records,
  STDIN,
} from '../../cgi/fastcgi-records.ts';
import type { ContentCoding, Transport } from '../client/transport.ts';
import type { CgiOptions } from './cgi-options.ts';
import { CgiResponseHead } from './cgi-response-head.ts';
import { FastCgiUnframing, REQUEST_ID } from './fastcgi-unframing.ts';
import { RequestParams, type RequestVariables } from './request-params.ts';

/** FastCGI 1.0: the proxy sends records of variables and content, the backend returns records of output and errors. */
export function fastcgi(options: CgiOptions): Transport {
  const variables = new RequestParams(options, encode);
  const flags = options.keepsConnections ? KEEP_CONN : 0;
  const begin = recordHead(BEGIN_REQUEST, REQUEST_ID, 8) + String.fromCharCode(0, RESPONDER, flags, 0, 0, 0, 0, 0);
  const endOfParams = recordHead(PARAMS, REQUEST_ID, 0);
  const endOfContent = recordHead(STDIN, REQUEST_ID, 0);
  return {
    head(request) {
      const head = begin + records(PARAMS, REQUEST_ID, variables.write(request)) + endOfParams;
      return request.body === null ? head + endOfContent : head;
    },
    coding: () => STREAM,
    needsLength: true,
    responseHead: () => new CgiResponseHead(options.responseHeadBytesMax, options.responseHeadCountMax),
    unframing: () => new FastCgiUnframing(options.onStderr),
    persists: options.keepsConnections,
  };
}

function encode(variables: RequestVariables): string {
  let text = '';
  for (let i = 0; i < variables.length; i += 2) text += nameValue(variables[i] as string, variables[i + 1] as string);
  return text;
}

const STREAM: ContentCoding = {
  encode(head, block) {
    const parts: Uint8Array[] = head === '' ? [] : [Buffer.from(head, 'latin1')];
    for (let at = 0; at < block.length; at += RECORD_CONTENT_MAX) {
      const part = block.subarray(at, at + RECORD_CONTENT_MAX);
      parts.push(Buffer.from(recordHead(STDIN, REQUEST_ID, part.length), 'latin1'), part);
    }
    return Buffer.concat(parts);
  },
  end: () => recordHead(STDIN, REQUEST_ID, 0),
};
