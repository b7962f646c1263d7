import { type Handler, mapResponse } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { requestIdOf } from '../../http/request-id.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseField } from '../../http/response-fields.ts';
import { allowsOwnScripts } from './content-policy.ts';
import { hiddenFailure } from './hidden-failure.ts';
import { htmlText } from './html-text.ts';
import { opensPage } from './opens-page.ts';

export interface DevBarOptions {
  /** The path of the pages that show traces, without a final slash: `/__viaduct`. */
  readonly prefix: string;
  /** Whether clients at this numeric address ('' on a Unix socket) can open the pages: only they get the bar. */
  readonly allow: (address: string) => boolean;
  /** Told once, in a sentence, that a page forbids the bar. */
  readonly onForbidden: (message: string) => void;
}

/** Longer pages stay as they are. */
const BYTES_MAX = 8 * 1024 * 1024;

/** Fields that describe the bytes of the content, which the bar changes. */
const BYTE_FIELDS = ['ETag', 'Content-MD5', 'Digest', 'Content-Digest', 'Repr-Digest', 'Accept-Ranges'];

/** Encodings in which the bytes of ASCII mean something else. */
const NOT_ASCII = /charset\s*=\s*"?(?:utf-?(?:16|32|7)|ucs|iso-10646|ebcdic|cp037|ibm037)/i;

/** Statuses whose content is not a page of its own: parts, and none at all. */
const WITHOUT_PAGE = new Set([204, 205, 206, 304]);

/**
 * Adds the bar of the development to HTML pages: one script tag before `</body>`, whose code comes from this server. Only complete pages that a
 * browser goes to get it: no fragments, parts, streams or coded contents, so it belongs behind the handler that compresses. A page whose own policy
 * (Content Security Policy) forbids scripts from its server stays as it is. The page by which a framework hides an exception is replaced: see `hiddenFailure`.
 */
export function devBar({ prefix, allow, onForbidden }: DevBarOptions): Handler {
  let isTold = false;
  return function devBar(request, next) {
    if (!opensPage(request) || !allow(request.peer.remoteAddress)) return next(request);
    return mapResponse(next(request), (response) => {
      const failure = hiddenFailure(request, response, prefix);
      if (failure !== null) return failure;
      const html = htmlOf(response);
      const at = html.toLowerCase().lastIndexOf('</body>');
      if (at < 0) return response;
      const policy = responseField(response, 'content-security-policy');
      if (allowsOwnScripts(policy === null ? [] : [policy], html))
        return withScript(response, at, scriptTag(prefix, requestIdOf(request.record)));
      if (!isTold) onForbidden(forbiddenAt(request));
      isTold = true;
      return response;
    });
  };
}

function forbiddenAt({ path }: Request): string {
  return `Cannot show the development bar on "${path}": the page's Content-Security-Policy forbids scripts from 'self'. Add 'self' to script-src in development, or open the request in the list of requests.`;
}

/** The complete page in a response, one character for each byte; '' for anything else. */
function htmlOf(response: Response): string {
  const { status, body } = response;
  if (!(body instanceof Uint8Array) || body.byteLength > BYTES_MAX) return '';
  if (status < 200 || WITHOUT_PAGE.has(status)) return '';
  const type = responseField(response, 'content-type') ?? '';
  if (!/^text\/html\b/i.test(type) || NOT_ASCII.test(type)) return '';
  const coding = responseField(response, 'content-encoding') ?? 'identity';
  const isShown = responseField(response, 'content-disposition')?.toLowerCase().startsWith('attachment') !== true;
  return coding.toLowerCase() === 'identity' && isShown ? bufferOf(body).toString('latin1') : '';
}

function scriptTag(prefix: string, id: string): Buffer {
  return Buffer.from(
    `<script src="${prefix}/assets/bar.js" data-prefix="${prefix}" data-id="${htmlText(id)}" defer></script>\n`,
  );
}

function withScript(response: Response, at: number, tag: Buffer): Response {
  const page = bufferOf(response.body as Uint8Array);
  const body = Buffer.concat([page.subarray(0, at), tag, page.subarray(at)]);
  const length = response.contentLength < 0 ? [] : ['Content-Length', String(body.byteLength)];
  return changeResponse(response, { body, set: length, remove: BYTE_FIELDS });
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
