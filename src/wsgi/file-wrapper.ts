import { Readable } from 'node:stream';
import type { FileHandleLike, FileLike, ResponseBody } from './contract.ts';

const BLOCK_BYTES = 65536;

/** `wsgi.file_wrapper`: the server sends a regular file itself, from its start. Anything else is iterated. */
export function wrapFile(file: FileLike, blockSize = BLOCK_BYTES): ResponseBody {
  if ('stat' in file) return new FileBlocks(file, blockSize); // a stream of a file also has an fd
  return file instanceof Readable && !('close' in file) ? new StreamBlocks(file) : (file as ResponseBody);
}

/** A stream that, if it was not iterated, only `destroy` closes. */
class StreamBlocks implements AsyncIterable<Uint8Array> {
  readonly #stream: Readable;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#stream[Symbol.asyncIterator]();
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** The content of an open file from its start, or what arrives in a pipe. */
export class FileBlocks implements AsyncIterable<Uint8Array> {
  readonly file: FileHandleLike;
  readonly #blockSize: number;

  constructor(file: FileHandleLike, blockSize: number) {
    this.file = file;
    this.#blockSize = blockSize;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const seeks = (await this.file.stat()).isFile();
    for (let position = 0; ; ) {
      const block = Buffer.allocUnsafe(this.#blockSize);
      const { bytesRead } = await this.file.read(block, 0, block.length, seeks ? position : null);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield block.subarray(0, bytesRead);
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
