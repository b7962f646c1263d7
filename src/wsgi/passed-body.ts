import { read } from 'node:fs';
import type { BodySource, FileBody, ResponseBody as HttpBody } from '../http/message.ts';
import { discardBody } from '../http/semantics/response-content.ts';
import type { ResponseBody } from './contract.ts';
import { SourceReader } from './source-reader.ts';

const BLOCK_BYTES = 65536;

/** Content that a Python application, or another part of the server, sends in blocks or as a file. If no middleware reads it, it passes on unchanged. */
export class PassedBody implements AsyncIterable<Uint8Array> {
  readonly #content: FileBody | BodySource;
  #state: 'whole' | 'taken' | 'iterated' | 'closed' = 'whole';
  #reader: SourceReader | null = null;
  /** A read of the file that is not finished. Its descriptor must not be closed and reused before that. */
  #reading: Promise<number> | null = null;

  constructor(content: FileBody | BodySource) {
    this.#content = content;
  }

  /** Nothing was read yet. */
  get isWhole(): boolean {
    return this.#state === 'whole';
  }

  /** Takes the content itself. Then the body need not be closed. */
  take(): FileBody | BodySource {
    this.#state = 'taken';
    return this.#content;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#state !== 'whole') return;
    this.#state = 'iterated';
    const content = this.#content;
    if ('fd' in content) {
      yield* this.#fileBlocks(content);
      return;
    }
    const reader = new SourceReader(content, false);
    this.#reader = reader;
    for (let block = await reader.next(); block !== null; block = await reader.next()) yield block;
  }

  close(): void {
    const state = this.#state;
    if (state === 'taken' || state === 'closed') return;
    this.#state = 'closed';
    if (this.#reader !== null) this.#reader.cancel();
    else if (this.#reading === null) discardBody(this.#content);
    else void this.#reading.finally(() => discardBody(this.#content)).catch(() => {});
  }

  async *#fileBlocks({ fd, start, end }: FileBody): AsyncGenerator<Uint8Array> {
    for (let position = start; position < end; ) {
      const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, end - position));
      this.#reading = readAt(fd, block, position);
      const length = await this.#reading;
      this.#reading = null;
      if (length === 0) return;
      position += length;
      yield block.subarray(0, length);
    }
  }
}

/** The content of a response as a body of the contract. */
export function passBody(content: HttpBody): ResponseBody {
  if (content === null) return [];
  return content instanceof Uint8Array ? [content] : new PassedBody(content);
}

function readAt(fd: number, block: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, block, 0, block.length, position, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
}
