import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** Longest wait for something that is certain to come; a test that reaches it has failed. */
const PATIENCE_MS = 30_000;

/** A client that speaks to a server in raw octets, so that it can misbehave. */
export class SocketClient {
  readonly socket: Socket;
  /** All that was received so far, as latin-1. */
  received = '';
  /** Resolves when the connection is over, by whichever side and in whichever way. */
  readonly closed: Promise<void>;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
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

  static async open(port: number): Promise<SocketClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new SocketClient(socket);
  }

  send(octets: string | Buffer): void {
    this.socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** Sends `octets` one by one with a pause of `everyMs`, until they are out or the connection is over. */
  async trickle(octets: string, everyMs: number): Promise<void> {
    for (const octet of octets) {
      if (this.socket.destroyed || this.socket.writableEnded) return;
      this.send(octet);
      await Promise.race([this.closed, delay(everyMs)]);
    }
  }

  /** Waits until what was received matches. Throws when the connection ends without. */
  async until(pattern: RegExp): Promise<void> {
    await within(PATIENCE_MS, `${pattern} from the server`, async () => {
      while (!pattern.test(this.received)) {
        if (this.socket.destroyed)
          throw new Error(`closed before ${pattern}: ${JSON.stringify(this.received.slice(0, 300))}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    });
  }

  /** Waits until the connection is over and returns the status of the first answer, 0 when there was none. */
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

/** Whether somebody listens there. */
export async function accepts(port: number): Promise<boolean> {
  try {
    (await SocketClient.open(port)).close();
    return true;
  } catch {
    return false;
  }
}

/** Runs `work`; throws when it has not ended after `ms`. */
export async function within<T>(ms: number, what: string, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until the answer is true. For what nobody tells, such as the end of a process that is not our child. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE_MS} ms in vain until ${what}`);
    await delay(20);
  }
}

/** True while a process of this number runs. A dead one that nobody has collected yet does not run. */
export function isRunning(pid: number): boolean {
  if (existsSync('/proc/self/stat')) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return !['Z', 'X'].includes(stat.charAt(stat.lastIndexOf(')') + 2));
    } catch {
      return false;
    }
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
