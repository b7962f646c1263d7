import type { BodySource } from '../http/message.ts';
import type { InputStream } from './contract.ts';
import { SourceReader } from './source-reader.ts';

const LF = 0x0a;

/** A source that blocks are pulled from. Null is the end. */
interface Blocks {
  next(): Promise<Buffer | null>;
}

/** `wsgi.input` over blocks that arrive one by one. */
class BlockInput implements InputStream {
  readonly #blocks: Blocks;
  /** The part of the last block that was not read yet. */
  #unread: Buffer | null = null;
  #ended = false;

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  async read(size = -1): Promise<Buffer> {
    return this.#take(size, () => -1);
  }

  async readline(size = -1): Promise<Buffer> {
    return this.#take(size, (block) => block.indexOf(LF));
  }

  async readlines(hint = -1): Promise<Buffer[]> {
    const lines: Buffer[] = [];
    let bytes = 0;
    for await (const line of this) {
      lines.push(line);
      bytes += line.length;
      if (hint > 0 && bytes >= hint) break;
    }
    return lines;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let line = await this.readline(); line.length > 0; line = await this.readline()) yield line;
  }

  async *blocks(): AsyncGenerator<Buffer> {
    for (let block = await this.#peek(); block !== null; block = await this.#peek()) {
      this.#unread = null;
      yield block;
    }
  }

  /** Takes `size` bytes, or all if it is negative, and stops after the byte whose index in a block `last` returns, or -1 for none. */
  async #take(size: number, last: (block: Buffer) => number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let left = size < 0 ? Number.MAX_SAFE_INTEGER : size;
    while (left > 0) {
      const block = await this.#peek();
      if (block === null) break;
      const end = last(block) + 1;
      const piece = block.subarray(0, Math.min(end === 0 ? block.length : end, left));
      this.#unread = piece.length < block.length ? block.subarray(piece.length) : null;
      pieces.push(piece);
      left -= piece.length;
      if (piece.length === end) break;
    }
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
  }

  async #peek(): Promise<Buffer | null> {
    if (this.#unread !== null || this.#ended) return this.#unread;
    this.#unread = await this.#blocks.next();
    this.#ended = this.#unread === null;
    return this.#unread;
  }
}

/** `wsgi.input` of a request. If nothing of it was read, the original content can be passed on. */
export class RequestInput extends BlockInput {
  readonly body: BodySource;
  readonly #reader: SourceReader;

  constructor(body: BodySource) {
    const reader = new SourceReader(body, true);
    super(reader);
    this.body = body;
    this.#reader = reader;
  }

  get untouched(): boolean {
    return this.#reader.untouched;
  }
}

/**
 * Makes a `wsgi.input` of `content`: bytes, a string (as UTF-8), or an iterable of blocks. For middleware that replaces the content of a request, which must
 * also set or delete CONTENT_LENGTH.
 */
export function inputOf(content: Uint8Array | string | AsyncIterable<Uint8Array> | Iterable<Uint8Array>): InputStream {
  return new BlockInput(blocksOf(typeof content === 'string' ? Buffer.from(content, 'utf8') : content));
}

/** The input of a request without content. */
export const NO_INPUT: InputStream = inputOf([]);

function blocksOf(content: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Blocks {
  const blocks = content instanceof Uint8Array ? [content] : content;
  const iterator = Symbol.asyncIterator in blocks ? blocks[Symbol.asyncIterator]() : blocks[Symbol.iterator]();
  return {
    async next() {
      for (;;) {
        const { done, value } = await iterator.next();
        if (done === true) return null;
        if (value.length > 0) return Buffer.from(value.buffer, value.byteOffset, value.length);
      }
    },
  };
}
