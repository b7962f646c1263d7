import type { Duplex } from 'node:stream';
import { ViaductError } from '../errors.ts';
import type { HeaderList } from './message.ts';
import { encodeHeaders, HAS_CONTROL, Response, withoutControlLines } from './response.ts';

const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/**
 * `101 Switching Protocols` (RFC 9110 section 15.2.2): the response of a handler that takes over the connection. It is possible only
 * for a request with `upgrades`; other requests get a 500 instead.
 */
export class UpgradeResponse extends Response {
  /**
   * Called once, after the head was written. From then on the handler owns `socket`: a TCP socket, or one stream of an HTTP/2
   * connection. It is paused, and `resume` or `pipe` starts it.
   * `early` holds the bytes that followed the request.
   */
  readonly onSocket: (socket: Duplex, early: Buffer) => void;

  /**
   * `protocol` is the next protocol of the connection, such as `websocket`. Fields with which an application directs the server in front of
   * it are left out of `headers`.
   *
   * @throws ViaductError `HEADER_INVALID` for an invalid protocol name or header, see `Response.fromHeaders`.
   */
  constructor(protocol: string, headers: HeaderList, onSocket: (socket: Duplex, early: Buffer) => void) {
    if (!PROTOCOL.test(protocol)) {
      throw new ViaductError(
        'HEADER_INVALID',
        `Cannot switch to ${JSON.stringify(protocol)}: it is not a protocol name`,
      );
    }
    const { lines, has } = encodeHeaders(headers);
    super(
      101,
      '',
      `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n${withoutControlLines(lines)}`,
      -1,
      has & ~HAS_CONTROL,
      null,
    );
    this.onSocket = onSocket;
  }
}
