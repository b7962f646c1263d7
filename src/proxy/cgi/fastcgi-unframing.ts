import { END_REQUEST, RecordReader, STDERR, STDOUT } from '../../cgi/fastcgi-records.ts';
import type { Unframing } from '../client/transport.ts';

/** A connection carries one request at a time, so all requests can use the same id. */
export const REQUEST_ID = 1;

const NOTHING = Buffer.alloc(0);
/** Limit for the error output of one request; the rest is not logged. */
const STDERR_BYTES_MAX = 8192;

/** FastCGI 1.0 section 5.5. */
const PROTOCOL_STATUSES = [
  null,
  'it accepts only one request at a time on a connection',
  'it is overloaded',
  'it does not support the responder role',
];

/** Extracts the output of consecutive requests from the records of a backend. Error output goes to `onStderr`. */
export class FastCgiUnframing implements Unframing {
  over = false;
  readonly #onStderr: (line: string) => void;
  readonly #reader: RecordReader;
  #output: Buffer[] = [];
  #end: Buffer = NOTHING;
  #errors = '';
  #errorBytes = 0;
  #problem: string | null = null;

  constructor(onStderr: (line: string) => void) {
    this.#onStderr = onStderr;
    this.#reader = new RecordReader({ content: (type, id, content, left) => this.#record(type, id, content, left) });
  }

  reset(): void {
    this.over = false;
    this.#end = NOTHING;
    this.#errorBytes = 0;
  }

  take(bytes: Buffer): Buffer | string {
    this.#output = [];
    const problem = this.#reader.read(bytes) ?? this.#problem;
    if (problem !== null) return problem;
    return this.#output.length === 1 ? (this.#output[0] as Buffer) : Buffer.concat(this.#output);
  }

  #record(type: number, id: number, content: Buffer, left: number): void {
    if (id !== REQUEST_ID) this.#problem ??= `a record belongs to the unknown request ${id}`;
    else if (this.over) this.#problem ??= 'records follow the end of the request';
    else if (type === STDOUT) {
      if (content.length > 0) this.#output.push(content);
    } else if (type === STDERR) this.#error(content, left);
    else if (type === END_REQUEST) this.#finish(content, left);
    else this.#problem ??= `a record has the unexpected type ${type}`;
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

  /**
   * The record holds four bytes of the application's status, one byte of the protocol's status and three reserved
   * bytes.
   */
  #finish(content: Buffer, left: number): void {
    this.#end = Buffer.concat([this.#end, content]);
    if (this.#end.length + left !== 8) this.#problem ??= 'the end-of-request record does not have eight bytes';
    if (left > 0) return;
    const status = this.#end[4] as number;
    this.#problem ??= status === 0 ? null : (PROTOCOL_STATUSES[status] ?? `it ended the request with status ${status}`);
    this.over = true;
  }
}
