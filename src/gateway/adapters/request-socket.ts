import { Socket } from 'node:net';
import type { Peer } from '../../http/message.ts';

/** Where the response's content goes, a block at a time. */
export interface BlockReceiver {
  /** `taken` is called when there is room for another. */
  receive(block: Buffer, taken: () => void): void;
}

/** The socket that a request of `fromNode` seems to have come in on. There is no connection behind it; what is written to it is content. */
export class RequestSocket extends Socket {
  override readonly remoteAddress: string;
  override readonly remotePort: number;
  override readonly remoteFamily: string;
  override readonly localPort: number;
  readonly encrypted: boolean;
  receiver: BlockReceiver | null = null;

  constructor({ remoteAddress, remotePort, secure, serverPort }: Peer) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.remoteFamily = remoteAddress.includes(':') ? 'IPv6' : 'IPv4';
    this.localPort = Number(serverPort) || (secure ? 443 : 80);
    this.encrypted = secure;
  }

  override _read(): void {}

  override _write(block: Buffer | string, encoding: BufferEncoding, taken: () => void): void {
    this.receiver?.receive(typeof block === 'string' ? Buffer.from(block, encoding) : block, taken);
  }

  override _writev(blocks: { chunk: Buffer | string; encoding: BufferEncoding }[], taken: () => void): void {
    const all = blocks.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk));
    this.receiver?.receive(all.length === 1 ? (all[0] as Buffer) : Buffer.concat(all), taken);
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(_error: Error | null, done: (error: Error | null) => void): void {
    this.setTimeout(0);
    done(null);
    process.nextTick(() => this.emit('close', false));
  }
}
