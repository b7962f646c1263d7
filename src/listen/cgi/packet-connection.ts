import type { Socket } from 'node:net';
import type { Malformed, ReadVariables, VariableLimits } from '../../cgi/params.ts';
import { isMalformed } from '../../cgi/params.ts';
import { breakOff } from '../../http/transport/reset-socket.ts';
import { attachSocket, type ClientSocket, type Receiver, readSocket } from '../../http/transport/socket-reader.ts';
import type { CarrierOwner, OpenCarrier } from '../../web/gateway/carrier-owner.ts';
import { CarriedSocket, type Carrier } from './cgi-request-socket.ts';

/** Reads the packet that begins a request. Null while it is not complete. */
export type ReadPacket = (bytes: Buffer, limits: VariableLimits) => ReadVariables | Malformed | null;

/** A connection of the uwsgi protocol or of SCGI: one packet of variables, the content, the response, and the end. */
export class PacketCarrier implements Carrier, OpenCarrier, Receiver {
  readonly #socket: ClientSocket<PacketCarrier>;
  readonly #owner: CarrierOwner;
  readonly #read: ReadPacket;
  readonly #statusLine: 'http' | 'cgi';
  readonly #timer: NodeJS.Timeout;
  #received: Buffer = Buffer.alloc(0);
  #carried: CarriedSocket | null = null;

  constructor(accepted: Socket, owner: CarrierOwner, read: ReadPacket, statusLine: 'http' | 'cgi') {
    this.#socket = readSocket<PacketCarrier>(accepted);
    this.#owner = owner;
    this.#read = read;
    this.#statusLine = statusLine;
    this.#timer = setTimeout(() => this.#refuse('the variables did not come in time'), owner.headerTimeoutMs);
    attachSocket(this.#socket, this);
  }

  // Receiver: what the socket tells.

  receive(bytes: Buffer, length: number): void {
    const block = bytes.subarray(0, length);
    if (this.#carried === null) this.#readPacket(block);
    else if (!this.#carried.deliver(Buffer.from(block))) this.#socket.pause();
  }

  inputEnded(): void {
    if (this.#carried === null) this.#socket.destroy();
    else this.#carried.deliverEnd();
  }

  drained(): void {}

  closed(): void {
    clearTimeout(this.#timer);
    this.#carried?.destroy();
    this.#owner.closed(this);
  }

  // Carrier: what the request tells.

  wanted(): void {
    this.#socket.resume();
  }

  send(bytes: Buffer, sent: (error?: Error | null) => void): void {
    this.#socket.write(bytes, sent);
  }

  /** What was written is with the kernel, and nothing more is expected: there is no reason to wait for the front. */
  finish(): void {
    if (this.#socket.writableLength === 0) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  /** With a reset, so that the front does not take a part for the whole. */
  abandon(): void {
    breakOff(this.#socket);
  }

  drain(): void {
    if (this.#carried === null && this.#received.length === 0) this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** `bytes` are lent for the call. */
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
      this.#refuse(packet.wrong);
      return;
    }
    clearTimeout(this.#timer);
    const rest = received.subarray(packet.length);
    const carried = new CarriedSocket(this, this.#statusLine);
    this.#carried = carried;
    this.#owner.begin(carried, packet.variables);
    if (rest.length > 0 && !carried.deliver(Buffer.from(rest))) this.#socket.pause();
  }

  /** What is no request of this protocol gets no answer: nobody knows what its sender would understand. */
  #refuse(reason: string): void {
    this.#owner.refused(reason);
    this.#socket.destroy();
  }
}
