import type { Socket } from 'node:net';
import type { CgiParamLimits, Malformed, ReadCgiParams } from '../../cgi/params.ts';
import { isMalformed } from '../../cgi/params.ts';
import { breakOff } from '../../http/transport/reset-socket.ts';
import { attachSocket, type ClientSocket, type Receiver, readSocket } from '../../http/transport/socket-reader.ts';
import type { CgiConnection, CgiConnectionOwner } from './cgi-connection.ts';
import { CgiRequestSocket, type CgiRequestTransport } from './cgi-request-socket.ts';

/** Reads the packet at the start of a request. Returns null while the packet is incomplete. */
export type ReadPacket = (bytes: Buffer, limits: CgiParamLimits) => ReadCgiParams | Malformed | null;

/** A connection of the uwsgi protocol or of SCGI: one packet of variables, the content, the response, and the end. */
export class PacketConnection implements CgiRequestTransport, CgiConnection, Receiver {
  readonly #socket: ClientSocket<PacketConnection>;
  readonly #owner: CgiConnectionOwner;
  readonly #read: ReadPacket;
  readonly #statusLine: 'http' | 'cgi';
  readonly #timer: NodeJS.Timeout;
  #received: Buffer = Buffer.alloc(0);
  #requestSocket: CgiRequestSocket | null = null;

  constructor(accepted: Socket, owner: CgiConnectionOwner, read: ReadPacket, statusLine: 'http' | 'cgi') {
    this.#socket = readSocket<PacketConnection>(accepted);
    this.#owner = owner;
    this.#read = read;
    this.#statusLine = statusLine;
    this.#timer = setTimeout(() => this.#refuse('the variables did not arrive in time'), owner.headerTimeoutMs);
    attachSocket(this.#socket, this);
  }

  // Receiver: calls of the socket.

  receive(bytes: Buffer, length: number): void {
    const block = bytes.subarray(0, length);
    if (this.#requestSocket === null) this.#readPacket(block);
    else if (!this.#requestSocket.deliver(Buffer.from(block))) this.#socket.pause();
  }

  inputEnded(): void {
    if (this.#requestSocket === null) this.#socket.destroy();
    else this.#requestSocket.deliverEnd();
  }

  drained(): void {}

  closed(): void {
    clearTimeout(this.#timer);
    this.#requestSocket?.destroy();
    this.#owner.closed(this);
  }

  // CgiRequestTransport: calls of the request.

  wanted(): void {
    this.#socket.resume();
  }

  send(bytes: Buffer, sent: (error?: Error | null) => void): void {
    this.#socket.write(bytes, sent);
  }

  /** Closes at once if the kernel has everything that was written: there is no reason to wait for the front-end proxy. */
  finish(): void {
    if (this.#socket.writableLength === 0) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  /** Ends with a reset, so that the front-end proxy does not take the part for the whole. */
  abandon(): void {
    breakOff(this.#socket);
  }

  drain(): void {
    if (this.#requestSocket === null && this.#received.length === 0) this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** `bytes` are valid only during the call. */
  #readPacket(bytes: Buffer): void {
    const { limits } = this.#owner;
    const received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const packet = this.#read(received, limits);
    if (packet === null) {
      this.#received = Buffer.from(received);
      if (received.length > limits.bytesMax) this.#refuse('the variables are too long');
      return;
    }
    if (isMalformed(packet)) {
      this.#refuse(packet.reason);
      return;
    }
    clearTimeout(this.#timer);
    const content = received.subarray(packet.length);
    const requestSocket = new CgiRequestSocket(this, this.#statusLine);
    this.#requestSocket = requestSocket;
    this.#owner.begin(requestSocket, packet.variables);
    if (content.length > 0 && !requestSocket.deliver(Buffer.from(content))) this.#socket.pause();
  }

  /** Closes without an answer: the server cannot know which protocol the sender would understand. */
  #refuse(reason: string): void {
    this.#owner.refused(reason);
    this.#socket.destroy();
  }
}
