import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import type { OutputEvents } from './direct-writer.ts';
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
  events: OutputEvents | null = null;
  readonly #target: SyslogTarget;
  #socket: Socket | null = null;
  #family = 0;
  #address = '';
  #nextLookupMs = 0;
  #isLookingUp = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #reason = '';
  #lost = 0;

  constructor(target: SyslogTarget) {
    this.#target = target;
  }

  send(message: Buffer): void {
    if (performance.now() >= this.#nextLookupMs && !this.#isLookingUp) this.#lookUp();
    const socket = this.#socket;
    const bytes = (socket?.getSendQueueSize() ?? 0) + this.#waitingBytes + message.length;
    if (bytes > WAITING_BYTES_MAX) this.#lose('the network is slower than the log');
    else if (socket === null) {
      this.#waiting.push(message);
      this.#waitingBytes += message.length;
    } else this.#put(socket, message);
  }

  #put(socket: Socket, message: Buffer): void {
    socket.send(message, this.#target.port, this.#address, (error) => {
      if (error !== null) this.#lose(error.message);
      else if (this.#reason !== '') this.#recover();
    });
  }

  #lookUp(): void {
    this.#isLookingUp = true;
    lookup(this.#target.host, (error, address, family) => {
      this.#isLookingUp = false;
      this.#nextLookupMs = performance.now() + (error === null ? ADDRESS_MS : RETRY_MS);
      if (error === null) this.#open(address, family);
      else if (this.#socket === null) {
        for (const _ of this.#waiting) this.#lose(error.message);
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
      this.#socket.on('error', ({ message }) => this.#fail(message));
    }
    const messages = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const message of messages) this.#put(this.#socket, message);
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
