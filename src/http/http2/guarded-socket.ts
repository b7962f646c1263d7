import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { unwritten } from '../transport/client-socket-control.ts';

/** Who looks at what comes, and is told what happens to the socket. */
export interface SocketOwner {
  /** How many of `bytes` the engine may have; the others are looked at again with what follows them. Nothing follows a violation. */
  onReceived(bytes: Uint8Array): number;
  /** `bytes` were handed to the socket. */
  onSent(bytes: number): void;
  /** Nothing more will be sent; the client has some time to read what was. */
  onEnding(): void;
  onSocketClosed(): void;
}

/** What several small writes become one of. */
const JOINED_BYTES_MAX = 65536;

type Written = (error?: Error | null) => void;

/**
 * A client's socket as the HTTP/2 engine gets it: everything passes its owner first, and it ends so that the client can read the last
 * frame, though the engine is gone by then.
 */
export class GuardedSocket extends Duplex {
  readonly #socket: Duplex;
  readonly #owner: SocketOwner;
  /** What the owner will look at again, with what follows it. */
  #rest: Buffer | null = null;
  #pending = 0;
  #ended = false;

  constructor(socket: Duplex, owner: SocketOwner) {
    super({ allowHalfOpen: true, decodeStrings: true, emitClose: true });
    this.#socket = socket;
    this.#owner = owner;
  }

  /** Begins to read: first `early`, which was read from the socket before. */
  open(early: Buffer | null): void {
    const socket = this.#socket;
    if (early !== null && early.length > 0) this.#receive(early);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => {});
    socket.on('close', () => {
      this.destroy();
      this.#owner.onSocketClosed();
    });
    socket.resume();
  }

  /** Bytes that the client has not taken. */
  get pending(): number {
    return this.#pending === 0 ? 0 : unwritten(this.#socket as Socket);
  }

  #receive(received: Buffer): void {
    if (this.destroyed) return;
    const bytes = this.#rest === null ? received : Buffer.concat([this.#rest, received]);
    const passed = this.#owner.onReceived(bytes);
    this.#rest = passed === bytes.length ? null : Buffer.from(bytes.subarray(passed));
    if (passed > 0 && !this.push(this.#rest === null ? bytes : bytes.subarray(0, passed))) this.#socket.pause();
  }

  #onEnd(): void {
    if (this.destroyed) this.#socket.destroy();
    else this.push(null);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: string, written: Written): void {
    this.#send(bytes, bytes.length, written);
  }

  override _writev(parts: { readonly chunk: Buffer }[], written: Written): void {
    let total = 0;
    for (const { chunk } of parts) total += chunk.length;
    if (total <= JOINED_BYTES_MAX) {
      const joined = Buffer.allocUnsafe(total);
      let at = 0;
      for (const { chunk } of parts) {
        joined.set(chunk, at);
        at += chunk.length;
      }
      this.#send(joined, total, written);
      return;
    }
    const last = parts.pop();
    this.#socket.cork();
    for (const { chunk } of parts) this.#socket.write(chunk);
    this.#send(last?.chunk ?? Buffer.alloc(0), total, written);
    this.#socket.uncork();
  }

  /** Sends `last` as the last thing, whatever the engine still has to say. */
  endWith(last: Buffer): void {
    if (!this.#ended) this.#socket.write(last);
    this.destroy();
  }

  #send(bytes: Buffer, total: number, written: Written): void {
    if (this.#ended) {
      written();
      return;
    }
    this.#pending += 1;
    this.#owner.onSent(total);
    this.#socket.write(bytes, (error) => {
      this.#pending -= 1;
      written(error);
    });
  }

  override _final(done: Written): void {
    this.#end();
    done();
  }

  /** The engine is through with it. The socket stays until the client closes it, or its owner finds that this takes too long. */
  override _destroy(error: Error | null, done: Written): void {
    this.#end();
    this.#socket.resume();
    if (this.#socket.readableEnded) this.#socket.destroy();
    done(error);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
    this.#owner.onEnding();
  }
}
