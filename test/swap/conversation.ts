import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address } from './addresses.ts';
import { type Answer, AnswerReader, valuesOf } from './answers.ts';

/** Longest wait for the next bytes of a server. A server that takes longer does not answer at all. */
const PATIENCE_MS = 8000;
/** How long a client waits for `100 Continue` before it sends its content anyway (RFC 9110 section 10.1.1). */
const CONTINUE_MS = 1000;

/** An address of a front-end proxy, and the host that leads to one application server. */
export interface Entrance {
  readonly address: Address;
  /** Value of `Host`, by which the front-end proxy chooses the application server. */
  readonly host: string;
  readonly secure: boolean;
  /** The address from which the client connects. */
  readonly from: string;
  /** Fields that are added to each request. */
  readonly fields: readonly (readonly [string, string])[];
}

/** A request of the suite. */
export interface SentRequest {
  readonly method?: string;
  readonly target: string;
  readonly fields?: readonly (readonly [string, string])[];
  /** Several blocks are sent as chunks. */
  readonly content?: Buffer | readonly Buffer[];
}

/** A connection of a client. It stays open as long as the front-end proxy keeps it. */
export class Conversation {
  readonly #socket: Socket;
  readonly #entrance: Entrance;
  readonly #reader = new AnswerReader();
  #arrived: Buffer[] = [];
  #over = false;
  #closing = false;
  #reset = false;
  #wake = (): void => {};

  private constructor(socket: Socket, entrance: Entrance) {
    this.#socket = socket;
    this.#entrance = entrance;
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

  static async open(entrance: Entrance): Promise<Conversation> {
    const to = { ...entrance.address, localAddress: entrance.from };
    const socket = entrance.secure
      ? connectTls({ ...to, rejectUnauthorized: false, servername: entrance.host })
      : connect({ ...to, noDelay: true });
    await once(socket, entrance.secure ? 'secureConnect' : 'connect');
    return new Conversation(socket, entrance);
  }

  /** False if the front-end proxy has ended the connection, or announced that. */
  get open(): boolean {
    return !this.#over && !this.#closing;
  }

  /** Sends a request and waits for its response. Returns null if no head comes. */
  async ask(request: SentRequest): Promise<Answer | null> {
    this.sendRequest(request);
    return this.answer(request.method);
  }

  sendRequest(request: SentRequest): void {
    this.#send(encodeHead(this.#entrance, request), encodeContent(request));
  }

  #send(...octets: readonly Buffer[]): void {
    this.#socket.cork();
    for (const block of octets) if (block.length > 0) this.#socket.write(block);
    this.#socket.uncork();
  }

  /** Sends the head of a request with content, waits for `100 Continue`, and sends the content. Returns whether `100 Continue` came. */
  async askToContinue(request: SentRequest): Promise<boolean> {
    this.#send(
      encodeHead(this.#entrance, { ...request, fields: [['Expect', '100-continue'], ...(request.fields ?? [])] }),
    );
    const came = await this.hasArrived('HTTP/1.1 100 ', CONTINUE_MS);
    this.#send(encodeContent(request));
    return came;
  }

  /** Waits until the next response is whole, or the connection is over. Returns it, or null if no head came. */
  async answer(method = 'GET'): Promise<Answer | null> {
    for (;;) {
      for (let block = this.#arrived.shift(); block !== undefined; block = this.#arrived.shift()) {
        const answer = this.#reader.take(block, method);
        if (answer !== null) return this.#took(answer);
      }
      if (this.#over || !(await this.#more(PATIENCE_MS))) return this.#reader.end(this.#over && !this.#reset);
    }
  }

  /** Returns true as soon as `text` has arrived, in any framing, and false if it does not arrive in `ms`. The bytes stay for `answer`. */
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

  /** Waits for the next bytes, or the end. Returns false if neither comes in time. */
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

function encodeHead(entrance: Entrance, { method = 'GET', target, fields = [], content }: SentRequest): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${entrance.host}`];
  for (const [name, value] of [...entrance.fields, ...fields]) lines.push(`${name}: ${value}`);
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
