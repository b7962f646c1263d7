import { END_REQUEST, RecordReader, STDERR, STDOUT } from '../../cgi/fastcgi-records.ts';
import type { Unframing } from '../../upstream/exchange/dialect.ts';

/** A connection has one request at a time, so they can all have the same number. */
export const REQUEST_ID = 1;

const NOTHING = Buffer.alloc(0);
/** Of one request's errors no more is told. */
const STDERR_BYTES_MAX = 8192;

/** FastCGI 1.0 section 5.5. */
const PROTOCOL_STATUSES = [
  null,
  'it takes one request at a time on a connection, and has one',
  'it is overloaded',
  'it does not know the role of a responder',
];

/** Takes the output of one request after another out of the records that a backend sends, and its errors aside. */
export class FastCgiUnframing implements Unframing {
  over = false;
  readonly #onStderr: (line: string) => void;
  readonly #reader: RecordReader;
  #output: Buffer[] = [];
  #end: Buffer = NOTHING;
  #errors = '';
  #errorBytes = 0;
  #wrong: string | null = null;

  constructor(onStderr: (line: string) => void) {
    this.#onStderr = onStderr;
    this.#reader = new RecordReader({ content: (type, id, content, left) => this.#record(type, id, content, left) });
  }

  begin(): void {
    this.over = false;
    this.#end = NOTHING;
    this.#errorBytes = 0;
  }

  take(bytes: Buffer): Buffer | string {
    this.#output = [];
    const wrong = this.#reader.read(bytes) ?? this.#wrong;
    if (wrong !== null) return wrong;
    return this.#output.length === 1 ? (this.#output[0] as Buffer) : Buffer.concat(this.#output);
  }

  #record(type: number, id: number, content: Buffer, left: number): void {
    if (id !== REQUEST_ID) this.#wrong ??= `a record belongs to request ${id}, which there is not`;
    else if (this.over) this.#wrong ??= 'records follow the end of the request';
    else if (type === STDOUT) {
      if (content.length > 0) this.#output.push(content);
    } else if (type === STDERR) this.#error(content, left);
    else if (type === END_REQUEST) this.#finish(content, left);
    else this.#wrong ??= `a record has type ${type}, which is none of a response`;
  }

  #error(content: Buffer, left: number): void {
    if (this.#errorBytes < STDERR_BYTES_MAX)
      this.#errors += content.toString('utf8', 0, STDERR_BYTES_MAX - this.#errorBytes);
    this.#errorBytes += content.length;
    if (left > 0) return;
    const lines = this.#errors.split('\n').filter((line) => line.trim() !== '');
    this.#errors = '';
    for (const line of lines) this.#onStderr(line);
  }

  /** Four bytes of the application's status, one of the protocol's, three that are kept free. */
  #finish(content: Buffer, left: number): void {
    this.#end = Buffer.concat([this.#end, content]);
    if (this.#end.length + left !== 8) this.#wrong ??= 'the end of the request has not eight bytes';
    if (left > 0) return;
    const status = this.#end[4] as number;
    this.#wrong ??= status === 0 ? null : (PROTOCOL_STATUSES[status] ?? `it ended the request with status ${status}`);
    this.over = true;
  }
}
