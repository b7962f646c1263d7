import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface PipelineAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * A connection that stays: sends requests, several at once if wanted, and matches the answers in order. Every response must have a
 * Content-Length.
 */
export class Pipeline {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (answer: PipelineAnswer) => void; reject: (error: Error) => void }[] = [];
  #rest = '';
  /** Octets or answers that nobody asked for. */
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

  /** Sends GETs of these targets in one write. Rejects when the connection ends before all are answered. */
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

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#rest += text;
    for (;;) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#rest.slice(0, end);
      const length = /^content-length: (\d+)$/im.exec(head)?.[1];
      const bodyEnd = end + 4 + Number(length ?? 0);
      if (this.#rest.length < bodyEnd) return;
      const body = this.#rest.slice(end + 4, bodyEnd);
      this.#rest = this.#rest.slice(bodyEnd);
      const next = this.#waiting.shift();
      if (next === undefined) this.excess += `${head}\n`;
      else next.resolve({ status: Number(head.slice(9, 12)), head, body });
    }
  }
}
