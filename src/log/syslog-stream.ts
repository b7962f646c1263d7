import { connect, type Socket } from 'node:net';
import type { OutputEvents } from './direct-writer.ts';
import type { SyslogTarget } from './syslog-target.ts';

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
  events: OutputEvents | null = null;
  readonly #target: SyslogTarget;
  /** Messages with their lengths that no connection has taken. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Null while there is no connection, or none that is ready. */
  #socket: Socket | null = null;
  #isStarted = false;
  #retryMs = RETRY_MS_MIN;
  /** Why the server cannot be reached; '' while it can. */
  #reason = '';
  #lost = 0;

  constructor(target: SyslogTarget) {
    this.#target = target;
  }

  /** `message` is lost if too much waits. */
  send(message: Buffer): void {
    if (!this.#isStarted) this.#connect();
    const frame = Buffer.concat([Buffer.from(`${message.length} `), message]);
    const bytes = (this.#socket?.writableLength ?? 0) + this.#waitingBytes + frame.length;
    if (bytes > WAITING_BYTES_MAX) this.#lose('it is slower than the log');
    else if (this.#socket !== null) this.#write(this.#socket, frame);
    else {
      this.#waiting.push(frame);
      this.#waitingBytes += frame.length;
    }
  }

  #write(socket: Socket, frame: Buffer): void {
    socket.write(frame, (error) => {
      if (error !== undefined && error !== null) this.#lose(error.message);
      else if (this.#reason !== '' && socket === this.#socket && socket.writableLength < WAITING_BYTES_MAX / 2)
        this.#recover();
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
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('connect', () => {
      socket.setTimeout(0);
      socket.resume();
      this.#socket = socket;
      this.#retryMs = RETRY_MS_MIN;
      const frames = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      for (const frame of frames) this.#write(socket, frame);
      if (frames.length === 0 && this.#reason !== '') this.#recover();
    });
    socket.on('close', () => {
      this.#socket = null;
      this.#fail(reason);
      setTimeout(() => this.#connect(), this.#retryMs).unref();
      this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs);
    });
  }

  #lose(reason: string): void {
    this.#lost += 1;
    this.#fail(reason);
  }

  #fail(reason: string): void {
    const isFirst = this.#reason === '';
    this.#reason = reason;
    if (isFirst) this.events?.onFailed(reason);
  }

  #recover(): void {
    const lost = this.#lost;
    const reason = this.#reason;
    this.#lost = 0;
    this.#reason = '';
    this.events?.onRecovered(lost, reason);
  }
}
