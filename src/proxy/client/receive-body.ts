import type { Refusal } from '../../http/refusal.ts';
import type { BackendConnection } from './backend-connection.ts';
import { type ContentOwner, ResponseContent } from './response-content.ts';

/**
 * Creates the body of the response whose head `connection` has just read. Returns null without content and bytes when
 * all content arrived with the head. Otherwise it returns content that reports its end to `owner`, or a refusal for
 * malformed content.
 */
export function receiveBody(
  owner: ContentOwner,
  connection: BackendConnection,
): Uint8Array | ResponseContent | Refusal | null {
  const { content: framing, contentLength } = connection.head.framing;
  if (framing === 'none' || (framing === 'length' && contentLength === 0)) return null;
  const { input } = connection;
  if (framing === 'length' && input.length >= contentLength) {
    const start = input.at;
    input.at += contentLength;
    return connection.take(start, input.at);
  }
  const content = new ResponseContent(owner, connection);
  return content.whole() ?? content;
}
