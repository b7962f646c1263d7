import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Place } from './addresses.ts';
import { type Answer, AnswerReader, valuesOf } from './answers.ts';

/** Longest wait for the next bytes of a peer. One that takes longer does not answer at all. */
const PATIENCE_MS = 8000;
/** How long a client waits for `100 Continue` before it sends its content anyway (RFC 9110 section 10.1.1). */
const CONTINUE_MS = 1000;

/** The way into a front that leads to one application server. */
export interface Door {
  readonly place: Place;
  /** Value of `Host`, by which fronts know where a request goes. */
  readonly host: string;
  readonly secure: boolean;
  /** Where the client connects from. */
  readonly from: string;
  /** Fields that each request has beside its own. */
  readonly fields: readonly (readonly [string, string])[];
}

export interface SentRequest {
  readonly method?: string;
  readonly target: string;
  readonly fields?: readonly (readonly [string, string])[];
  /** Several blocks are sent as chunks. */
  readonly content?: Buffer | readonly Buffer[];
}

/** One connection of a client, that stays open as long as the front lets it. */
export class Conversation {
  readonly #socket: Socket;
  readonly #door: Door;
  readonly #reader = new AnswerReader();
  #arrived: Buffer[] = [];
  #over = false;
  #closing = false;
  #reset = false;
  #wake = (): void => {};

  private constructor(socket: Socket, door: Door) {
    this.#socket = socket;
    this.#door = door;
    socket.on('data', (block: Buffer) => {
      this.#arrived.push(block);
      this.#wake();
    });
    socket.on('error', () => {
      this.#reset = true;
    });
    socket.on('close', () => {
      this.#over = true;
      this.#wake();
    });
    socket.on('end', () => {
      this.#over = true;
      this.#wake();
    });
  }

  static async open(door: Door): Promise<Conversation> {
    const to = { ...door.place, localAddress: door.from };
    const socket = door.secure
      ? connectTls({ ...to, rejectUnauthorized: false, servername: door.host })
      : connect({ ...to, noDelay: true });
    await once(socket, door.secure ? 'secureConnect' : 'connect');
    return new Conversation(socket, door);
  }

  /** False when the front has ended it, or said that it will. */
  get open(): boolean {
    return !this.#over && !this.#closing;
  }

  /** Sends a request and awaits its response. Null when the connection ends, or nothing comes, before its head. */
  async ask(request: SentRequest): Promise<Answer | null> {
    this.sendRequest(request);
    return this.answer(request.method);
  }

  sendRequest(request: SentRequest): void {
    this.#send(encodeHead(this.#door, request), encodeContent(request));
  }

  #send(...octets: readonly Buffer[]): void {
    this.#socket.cork();
    for (const block of octets) if (block.length > 0) this.#socket.write(block);
    this.#socket.uncork();
  }

  /** Sends the head of a request that has content, and awaits `100 Continue`; false when something else comes, or nothing. */
  async askToContinue(request: SentRequest): Promise<boolean> {
    this.#send(encodeHead(this.#door, { ...request, fields: [['Expect', '100-continue'], ...(request.fields ?? [])] }));
    const came = await this.hasArrived('HTTP/1.1 100 ', CONTINUE_MS);
    this.#send(encodeContent(request));
    return came;
  }

  /** The next response, once it is whole or the connection is over. */
  async answer(method = 'GET'): Promise<Answer | null> {
    for (;;) {
      for (let block = this.#arrived.shift(); block !== undefined; block = this.#arrived.shift()) {
        const answer = this.#reader.take(block, method);
        if (answer !== null) return this.#took(answer);
      }
      if (this.#over || !(await this.#more(PATIENCE_MS))) return this.#reader.end(this.#over && !this.#reset);
    }
  }

  /** True as soon as `text` has arrived, in whatever framing; false when it does not come in `ms`. The bytes stay for `answer`. */
  async hasArrived(text: string, ms: number): Promise<boolean> {
    for (;;) {
      const count = this.#arrived.length;
      if (Buffer.concat(this.#arrived).includes(text)) return true;
      if (this.#over || !(await this.#more(ms, count))) return false;
    }
  }

  #took(answer: Answer): Answer {
    if (valuesOf(answer, 'connection').some((value) => value.toLowerCase() === 'close')) this.#closing = true;
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Waits for the next bytes, or the end; false when neither comes in time. */
  async #more(ms: number, known = 0): Promise<boolean> {
    if (this.#arrived.length > known) return true;
    if (this.#over) return false;
    let timer: NodeJS.Timeout | undefined;
    const happened = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(true);
      timer = setTimeout(() => resolve(false), ms);
    });
    clearTimeout(timer);
    return happened;
  }
}

function encodeHead(door: Door, { method = 'GET', target, fields = [], content }: SentRequest): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${door.host}`];
  for (const [name, value] of [...door.fields, ...fields]) lines.push(`${name}: ${value}`);
  if (Buffer.isBuffer(content)) lines.push(`Content-Length: ${content.length}`);
  else if (content !== undefined) lines.push('Transfer-Encoding: chunked');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function encodeContent({ content }: SentRequest): Buffer {
  if (content === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(content)) return content;
  const chunks = content.flatMap((block) => [
    Buffer.from(`${block.length.toString(16)}\r\n`),
    block,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
}
