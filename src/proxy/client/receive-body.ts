import type { Refusal } from '../../http/refusal.ts';
import type { BackendConnection } from './backend-connection.ts';
import { type ContentOwner, ResponseContent } from './response-content.ts';

/**
 * The body of the response whose head `connection` has just read: null when it has none, bytes when all of it came with the head, content that
 * tells `owner` how it ends when the rest is to come, a refusal when what came is no content.
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
  const content = new ResponseContent(owner, connection, framing, contentLength);
  return content.whole() ?? content;
}
