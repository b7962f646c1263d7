import { once } from 'node:events';
import { request as request1 } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { encode, type HttpAnswer, type HttpRequest, parseAnswer } from './http-message.ts';
import { SocketClient } from './socket-client.ts';

/**
 * Sends one HTTP/1.1 request on its own connection, and reads until the server closes the connection. `address` is a port or a Unix socket,
 * and `localAddress` that of the client.
 */
export async function ask(
  address: number | string,
  target: string,
  request: HttpRequest = {},
  localAddress?: string,
): Promise<HttpAnswer> {
  const client = await SocketClient.open(address, localAddress);
  try {
    client.send(encode(target, request));
    await client.untilClosed();
    return parseAnswer(client.received, request.method ?? 'GET');
  } finally {
    client.close();
  }
}

export interface PipelineAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A kept HTTP/1.1 connection. It can send several requests at once, and matches the answers in order. Each answer needs a Content-Length. */
export class Pipeline {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (answer: PipelineAnswer) => void; reject: (error: Error) => void }[] = [];
  #partial = '';
  /** Heads of answers without a request. */
  excess = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection ended before the answer'));
    });
  }

  static async open(port: number): Promise<Pipeline> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Pipeline(socket);
  }

  /** Sends a GET for each target, all in one write. Rejects if the connection ends before all are answered. */
  get(...targets: readonly string[]): Promise<PipelineAnswer[]> {
    return this.send(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: test.example\r\n\r\n`));
  }

  send(requests: readonly string[]): Promise<PipelineAnswer[]> {
    const answers = requests.map(
      () => new Promise<PipelineAnswer>((resolve, reject) => this.#waiting.push({ resolve, reject })),
    );
    this.#socket.write(requests.join(''), 'latin1');
    return Promise.all(answers);
  }

  /** Resolves when all requests have left this process. On the loopback interface they are then in the socket of the server. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#socket.write('', () => resolve()));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#partial += text;
    for (;;) {
      const end = this.#partial.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#partial.slice(0, end);
      const length = /^content-length: (\d+)$/im.exec(head)?.[1];
      const bodyEnd = end + 4 + Number(length ?? 0);
      if (this.#partial.length < bodyEnd) return;
      const body = this.#partial.slice(end + 4, bodyEnd);
      this.#partial = this.#partial.slice(bodyEnd);
      const next = this.#waiting.shift();
      if (next === undefined) this.excess += `${head}\n`;
      else next.resolve({ status: Number(head.slice(9, 12)), head, body });
    }
  }
}

export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

/** The head of a response, and its content as a stream. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
  /** Gives the request up. */
  abandon(): void;
}

/** A request whose content is still open. */
export interface OpenRequest {
  /** Takes the content of the request. The test ends it. */
  readonly upload: Writable;
  answer(): Promise<OpenAnswer>;
  abandon(): void;
}

/** Starts one request of either protocol on its own connection. */
export function openRequest(
  protocol: ProtocolName,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): OpenRequest {
  return protocol === 'HTTP/2' ? openHttp2(port, method, path, headers) : openHttp1(port, method, path, headers);
}

/** Sends one request without content, and reads the whole answer. `text` is latin-1; `whole` is false if the content broke off. */
export async function fetchWhole(
  protocol: ProtocolName,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenAnswer & { readonly text: string; readonly whole: boolean }> {
  const request = openRequest(protocol, port, method, path, headers);
  request.upload.end();
  const answer = await request.answer();
  const blocks: Buffer[] = [];
  let whole = true;
  try {
    for await (const block of answer.body) blocks.push(block as Buffer);
  } catch {
    whole = false;
  }
  request.abandon();
  return { ...answer, text: Buffer.concat(blocks).toString('latin1'), whole };
}

function openHttp1(port: number, method: string, path: string, headers: Readonly<Record<string, string>>) {
  const upload = request1({ port, host: '127.0.0.1', method, path, headers, agent: false });
  upload.on('error', () => {});
  const abandon = () => void upload.destroy();
  const answered = once(upload, 'response');
  answered.catch(() => {});
  const answer = async (): Promise<OpenAnswer> => {
    const [response] = await answered;
    return { status: response.statusCode, headers: response.headers, body: response, abandon };
  };
  return { upload, answer, abandon };
}

function openHttp2(port: number, method: string, path: string, headers: Readonly<Record<string, string>>) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const endStream = false;
  const upload = session.request({ ':method': method, ':path': path, ...headers }, { endStream });
  upload.on('error', () => {});
  const abandon = () => session.destroy();
  upload.on('close', () => session.close());
  const answered = once(upload, 'response');
  answered.catch(() => {});
  const answer = async (): Promise<OpenAnswer> => {
    const [fields] = await answered;
    return { status: fields[':status'], headers: fields, body: upload, abandon: () => void upload.close(8) };
  };
  return { upload, answer, abandon };
}
