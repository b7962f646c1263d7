import type { FileHandleLike, FileLike, ResponseBody } from './contract.ts';

const BLOCK_BYTES = 65536;

/** `wsgi.file_wrapper`: the server sends a regular file from its beginning by itself; anything else is iterated. */
export function wrapFile(file: FileLike, blockSize = BLOCK_BYTES): ResponseBody {
  return 'fd' in file ? new FileBlocks(file, blockSize) : (file as ResponseBody);
}

/** The content of an open file, from its beginning. */
export class FileBlocks implements AsyncIterable<Uint8Array> {
  readonly file: FileHandleLike;
  readonly #blockSize: number;

  constructor(file: FileHandleLike, blockSize: number) {
    this.file = file;
    this.#blockSize = blockSize;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let position = 0; ; ) {
      const block = Buffer.allocUnsafe(this.#blockSize);
      const { bytesRead } = await this.file.read(block, 0, block.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield block.subarray(0, bytesRead);
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
