import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lookup } from 'mrmime';
import type { Validators } from '../../http/conditional.ts';
import type { FileBody, HeaderList } from '../../http/message.ts';
import { Response } from '../../http/response.ts';

/** One version of a file, ready to be sent: its content in memory, or its descriptor, which stays open while somebody sends it. */
export class StaticFile implements Validators {
  readonly path: string;
  readonly size: number;
  readonly etag: string;
  readonly modifiedSeconds: number;
  /** Content-Type, Last-Modified, ETag, Accept-Ranges: of every answer about this file. */
  readonly headers: HeaderList;
  readonly content: Buffer | null;
  readonly #handle: FileHandle | null;
  readonly #status: Pick<BigIntStats, 'ino' | 'dev' | 'size' | 'mtimeNs' | 'ctimeNs'>;
  readonly #whole: Response | null;
  #senders = 0;
  #retired = false;

  constructor(path: string, status: BigIntStats, content: Buffer | null, handle: FileHandle | null) {
    this.path = path;
    this.size = Number(status.size);
    this.content = content;
    this.#handle = handle;
    const { ino, dev, size, mtimeNs, ctimeNs } = status;
    this.#status = { ino, dev, size, mtimeNs, ctimeNs };
    // Strong (RFC 9110 section 8.8.1): the clock that files are stamped with ticks in nanoseconds, and a replaced file has another
    // inode, so two contents with the same tag would have to be written within one tick into the same file.
    this.etag = `"${mtimeNs.toString(36)}-${size.toString(36)}-${ino.toString(36)}"`;
    this.modifiedSeconds = Number(status.mtimeNs / 1_000_000_000n);
    this.headers = [
      'Content-Type',
      contentType(path),
      'Last-Modified',
      new Date(this.modifiedSeconds * 1000).toUTCString(),
      'ETag',
      this.etag,
      'Accept-Ranges',
      'bytes',
      'X-Content-Type-Options',
      'nosniff',
    ];
    this.#whole = content === null ? null : this.#ok(content);
    if (this.#whole !== null) this.#whole.rendered = { own: '', bytes: Buffer.alloc(0) };
  }

  /** Bytes that the cache accounts for: the content, and once more in the message that is kept ready. */
  get memoryBytes(): number {
    return 2 * (this.content?.length ?? 0);
  }

  /** Whether it is read from an open descriptor. */
  get isOpen(): boolean {
    return this.#handle !== null;
  }

  /** Whether `status` is still that of this version. */
  isSame(status: BigIntStats): boolean {
    const known = this.#status;
    return (
      status.mtimeNs === known.mtimeNs &&
      status.size === known.size &&
      status.ino === known.ino &&
      status.dev === known.dev &&
      status.ctimeNs === known.ctimeNs
    );
  }

  /** The answer with the whole file. For a file in memory it is the same object each time. */
  whole(): Response {
    if (this.#whole !== null) return this.#whole;
    return this.#ok(this.slice(0, this.size));
  }

  #ok(body: Buffer | FileBody): Response {
    return Response.fromHeaders(200, [...this.headers, 'Content-Length', `${this.size}`], body);
  }

  /** The bytes `start` to `end` as a body. */
  slice(start: number, end: number): Buffer | FileBody {
    if (this.content !== null) return this.content.subarray(start, end);
    const handle = this.#handle as FileHandle;
    this.#senders += 1;
    return { fd: handle.fd, start, end, release: () => this.#released() };
  }

  /** The cache does not need it any more. */
  retire(): void {
    this.#retired = true;
    this.#closeWhenUnused();
  }

  #released(): void {
    this.#senders -= 1;
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    if (this.#retired && this.#senders === 0) void this.#handle?.close();
  }
}

function contentType(path: string): string {
  const type = lookup(path) ?? 'application/octet-stream';
  return TEXT.test(type) ? `${type}; charset=utf-8` : type;
}

const TEXT = /^text\/|^application\/(javascript|json|manifest\+json|xml)$|\+xml$/;
