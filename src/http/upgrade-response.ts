import type { Socket } from 'node:net';
import { ViaductError } from '../errors.ts';
import type { HeaderList } from './message.ts';
import { encodeHeaders, Response } from './response.ts';

const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/**
 * `101 Switching Protocols` (RFC 9110 section 15.2.2): the answer of a handler that takes the connection over. Only a request with
 * `upgrades` can get it; any other is answered with 500.
 */
export class UpgradeResponse extends Response {
  /**
   * Called once, when the head has been written. `socket` is the handler's from then on, `early` what came behind the request. It is paused:
   * `resume` or `pipe` starts it.
   */
  readonly onSocket: (socket: Socket, early: Buffer) => void;

  /**
   * `protocol` is what the connection speaks from now on, such as `websocket`.
   *
   * @throws ViaductError `HEADER_INVALID` as `Response.fromHeaders` does.
   */
  constructor(protocol: string, headers: HeaderList, onSocket: (socket: Socket, early: Buffer) => void) {
    if (!PROTOCOL.test(protocol)) {
      throw new ViaductError('HEADER_INVALID', `Cannot switch to ${JSON.stringify(protocol)}: it is no protocol name`);
    }
    const { lines, has } = encodeHeaders(headers);
    super(101, '', `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n${lines}`, -1, has, null);
    this.onSocket = onSocket;
  }
}
