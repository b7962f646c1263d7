import type { HeaderList } from '../message.ts';

/** Fields that mean nothing behind content, or would mislead who merges them into the head (RFC 9110 section 6.5.1). What frames a message is refused where it is read. */
const LEFT_OUT =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|upgrade|expect|x[-_]forwarded[-_].*|forwarded|authorization|cookie2?|set-cookie2?|content-.*|cache-control|age|date|expires|location|retry-after|vary|warning|if-.*|range|max-forwards|www-authenticate|http2-settings)$/i;

/** What ends content in chunks, with its trailer fields (RFC 9112 section 7.1.2): those that were received and checked. */
export function lastChunk(trailers: HeaderList | undefined): string {
  if (trailers === undefined || trailers.length === 0) return LAST_CHUNK;
  let lines = '';
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string;
    if (!LEFT_OUT.test(name)) lines += `${name}: ${trailers[i + 1]}\r\n`;
  }
  return `0\r\n${lines}\r\n`;
}

const LAST_CHUNK = '0\r\n\r\n';
