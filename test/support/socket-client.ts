import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { PATIENCE_MS, within } from './wait.ts';

/** A client of raw octets, so that it can misbehave. */
export class SocketClient {
  readonly socket: Socket;
  /** The TCP socket: the same one without TLS. */
  readonly raw: Socket;
  /** All that was received so far, as latin-1. */
  received = '';
  /** Resolves when the connection is over, whichever side ended it and however. */
  readonly closed: Promise<void>;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket, raw = socket) {
    this.socket = socket;
    this.raw = raw;
    raw.on('error', () => {});
    socket.on('data', (block: Buffer) => {
      this.received += block.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
        this.#wake();
      });
    });
  }

  /** Connects to a port of 127.0.0.1, from `localAddress` if it is given, or to the path of a Unix socket. */
  static async open(address: number | string, localAddress?: string): Promise<SocketClient> {
    const socket = connect(
      typeof address === 'string'
        ? { path: address }
        : { port: address, host: '127.0.0.1', localAddress, noDelay: true },
    );
    await once(socket, 'connect');
    return new SocketClient(socket);
  }

  /** Connects to a port of 127.0.0.1 with TLS, and speaks `protocol`. */
  static async openSecure(port: number, protocol = 'http/1.1'): Promise<SocketClient> {
    const raw = connect({ port, host: '127.0.0.1', noDelay: true });
    const socket = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: [protocol] });
    await once(socket, 'secureConnect');
    return new SocketClient(socket, raw);
  }

  send(octets: string | Buffer): void {
    this.socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** Resolves when all octets have left this process. On the loopback interface they are then in the socket of the server. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.socket.write('', () => resolve()));
  }

  /** Sends `octets` one by one with pauses of `everyMs`, until all are sent or the connection is over. */
  async trickle(octets: string, everyMs: number): Promise<void> {
    for (const octet of octets) {
      if (this.socket.destroyed || this.socket.writableEnded) return;
      this.send(octet);
      await Promise.race([this.closed, delay(everyMs)]);
    }
  }

  /** Waits until `received` matches. Throws if the connection ends before that. */
  async until(pattern: RegExp): Promise<void> {
    await within(PATIENCE_MS, `${pattern} from the server`, async () => {
      while (!pattern.test(this.received)) {
        if (this.socket.destroyed)
          throw new Error(`closed before ${pattern}: ${JSON.stringify(this.received.slice(0, 300))}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    });
  }

  /** Waits until the connection is over. Returns the status of the first answer, 0 if there was none. */
  async untilClosed(): Promise<number> {
    await within(PATIENCE_MS, 'the server to close', () => this.closed);
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.received)?.[1] ?? 0);
  }

  close(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Whether a server listens on this port of 127.0.0.1. */
export async function accepts(port: number | string): Promise<boolean> {
  try {
    (await SocketClient.open(port)).close();
    return true;
  } catch {
    return false;
  }
}
