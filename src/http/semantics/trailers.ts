import type { HeaderList } from '../message.ts';

/**
 * Fields that mean nothing after the content, or would mislead a recipient that merges them into the head (RFC 9110
 * section 6.5.1): those of the connection, of framing, routing, authentication, conditions and the client's address, and
 * those with which an application directs its front-end proxy. CGI would confuse a name that has an underscore with one of
 * them.
 */
const LEFT_OUT =
  /^(?:.*_.*|connection|keep-alive|proxy(?:-.*)?|te|trailer|transfer-encoding|upgrade|expect|host|x-forwarded-.*|forwarded|x-real-ip|x-accel-.*|x-sendfile|authorization|cookie2?|set-cookie2?|content-.*|cache-control|age|date|expires|location|retry-after|vary|warning|if-.*|range|max-forwards|www-authenticate|http2-settings)$/i;

/**
 * The trailer fields of a received message that may be passed on. `others` are names, in lower case, of further fields to
 * leave out, such as those that its Connection field declares as fields of the connection.
 */
export function passedTrailers(trailers: HeaderList, others: ReadonlySet<string> | null): HeaderList {
  if (trailers.length === 0) return trailers;
  return trailers.filter((_, i) => {
    const name = trailers[i - (i % 2)] as string;
    return !LEFT_OUT.test(name) && others?.has(name.toLowerCase()) !== true;
  });
}

/**
 * The last chunk of chunked content, with the trailer fields (RFC 9112 section 7.1.2), whose characters must be valid. A
 * field of `headers`, which the head has, is left out: a handler may have replaced the client's field.
 */
export function lastChunk(trailers: HeaderList | undefined, headers: HeaderList = []): string {
  if (trailers === undefined || trailers.length === 0) return LAST_CHUNK;
  const passed = trailersBeside(headers, trailers);
  let lines = '';
  for (let i = 0; i < passed.length; i += 2) lines += `${passed[i]}: ${passed[i + 1]}\r\n`;
  return `0\r\n${lines}\r\n`;
}

/** The trailer fields that may be passed on behind a head with `headers`, without those that the head has. */
export function trailersBeside(headers: HeaderList, trailers: HeaderList): HeaderList {
  if (trailers.length === 0) return trailers;
  return passedTrailers(trailers, new Set(headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())));
}

const LAST_CHUNK = '0\r\n\r\n';
