import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import type { Losses } from './losses.ts';
import type { SyslogTarget } from './syslog-target.ts';

/** So many bytes wait for the kernel, or for the address of the server. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** The name of the server is looked up again after this time. */
const ADDRESS_MS = 60_000;
const RETRY_MS = 5000;

/**
 * Sends syslog messages over UDP (RFC 5426), each in a datagram. Nobody knows whether the server got one. What this machine cannot send is
 * lost and counted.
 */
export class SyslogDatagrams {
  readonly #target: SyslogTarget;
  readonly #losses: Losses;
  #socket: Socket | null = null;
  #family = 0;
  #address = '';
  #nextLookupMs = 0;
  #isLookingUp = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(target: SyslogTarget, losses: Losses) {
    this.#target = target;
    this.#losses = losses;
  }

  send(message: Buffer): void {
    if (performance.now() >= this.#nextLookupMs && !this.#isLookingUp) this.#lookUp();
    const socket = this.#socket;
    const bytes = (socket?.getSendQueueSize() ?? 0) + this.#waitingBytes + message.length;
    if (bytes > WAITING_BYTES_MAX) this.#losses.lose('the network is slower than the log');
    else if (socket === null) {
      this.#waiting.push(message);
      this.#waitingBytes += message.length;
    } else this.#put(socket, message);
  }

  /** The kernel takes datagrams at once. */
  async flush(): Promise<void> {}

  #put(socket: Socket, message: Buffer): void {
    socket.send(message, this.#target.port, this.#address, (error) => {
      if (error !== null) this.#losses.lose(error.message);
      else this.#losses.recover();
    });
  }

  #lookUp(): void {
    this.#isLookingUp = true;
    lookup(this.#target.host, (error, address, family) => {
      this.#isLookingUp = false;
      this.#nextLookupMs = performance.now() + (error === null ? ADDRESS_MS : RETRY_MS);
      if (error === null) this.#open(address, family);
      else if (this.#socket === null) {
        this.#losses.lose(error.message, this.#waiting.length);
        this.#waiting = [];
        this.#waitingBytes = 0;
      }
    });
  }

  #open(address: string, family: number): void {
    this.#address = address;
    if (this.#socket === null || this.#family !== family) {
      this.#socket?.close();
      this.#family = family;
      this.#socket = createSocket(family === 6 ? 'udp6' : 'udp4').unref();
      this.#socket.on('error', ({ message }) => this.#losses.fail(message));
    }
    const messages = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const message of messages) this.#put(this.#socket, message);
  }
}
