import { connect, type Socket } from 'node:net';
import type { Losses } from './losses.ts';
import type { SyslogTarget } from './syslog-target.ts';
import { written } from './written.ts';

/** So many bytes wait for a server that is slow or away. */
const WAITING_BYTES_MAX = 1024 * 1024;
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 30_000;
const CONNECT_MS_MAX = 10_000;

/**
 * A connection to a syslog server over TCP (RFC 6587) or a Unix socket. Each message follows its length (octet counting), so it may have line
 * breaks. While the server is away, messages wait up to a limit; further ones are lost and counted. Nothing ever waits for the server.
 */
export class SyslogStream {
  readonly #target: SyslogTarget;
  readonly #losses: Losses;
  readonly #onDatagramSocket: (messages: readonly Buffer[]) => void;
  /** Messages that no connection has taken. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Null while there is no connection, or none that is ready. */
  #socket: Socket | null = null;
  #isStarted = false;
  #retryMs = RETRY_MS_MIN;

  /** `onDatagramSocket` gets all messages once, if there is a socket for datagrams at the path. Then this object has no more use. */
  constructor(target: SyslogTarget, losses: Losses, onDatagramSocket: (messages: readonly Buffer[]) => void) {
    this.#target = target;
    this.#losses = losses;
    this.#onDatagramSocket = onDatagramSocket;
  }

  /** `message` is lost if too much waits. */
  send(message: Buffer): void {
    if (!this.#isStarted) this.#connect();
    const bytes = (this.#socket?.writableLength ?? 0) + this.#waitingBytes + message.length;
    if (bytes > WAITING_BYTES_MAX) this.#losses.lose('it is slower than the log');
    else if (this.#socket !== null) this.#write(this.#socket, message);
    else {
      this.#waiting.push(message);
      this.#waitingBytes += message.length;
    }
  }

  flush(): Promise<void> {
    return written(this.#socket);
  }

  #write(socket: Socket, message: Buffer): void {
    const frame = Buffer.concat([Buffer.from(`${message.length} `), message]);
    socket.write(frame, (error) => {
      if (error !== undefined && error !== null) this.#losses.lose(error.message);
      else if (socket === this.#socket && socket.writableLength < WAITING_BYTES_MAX / 2) this.#losses.recover();
    });
  }

  #connect(): void {
    this.#isStarted = true;
    const { host, port, path } = this.#target;
    const socket = path === '' ? connect({ host, port, timeout: CONNECT_MS_MAX }) : connect({ path });
    let reason = 'the connection was closed';
    // No log keeps the process alive. While it lives, a timer tries again.
    socket.unref();
    socket.on('timeout', () => socket.destroy(new Error('it does not answer')));
    let isForDatagrams = false;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.message;
      isForDatagrams = error.code === 'EPROTOTYPE';
    });
    socket.on('connect', () => {
      socket.setTimeout(0);
      socket.resume();
      this.#socket = socket;
      this.#retryMs = RETRY_MS_MIN;
      const messages = this.#take();
      for (const message of messages) this.#write(socket, message);
      if (messages.length === 0) this.#losses.recover();
    });
    socket.on('close', () => {
      this.#socket = null;
      if (isForDatagrams) {
        this.#onDatagramSocket(this.#take());
        return;
      }
      this.#losses.fail(reason);
      setTimeout(() => this.#connect(), this.#retryMs).unref();
      this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs);
    });
  }

  #take(): Buffer[] {
    const messages = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return messages;
  }
}
