import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Validators } from '../../http/conditional.ts';
import type { FileBody, HeaderList } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { StandingResponse } from '../../http/standing-response.ts';
import { contentType } from './content-type.ts';

/** Bytes that a cached file takes besides its content. */
const OVERHEAD_BYTES = 2048;
/** A longer one is better written in pieces, because only then it shows whether the client takes it. */
const STANDING_BYTES_MAX = 262_144;
/** A file written to more recently may be written to again without a sign: clocks of file systems tick up to two seconds apart. */
const SETTLED_MS = 2000;

/** One version of a file, ready to be sent: its content in memory, or its descriptor, which stays open while somebody sends it. */
export class StaticFile implements Validators {
  readonly path: string;
  readonly size: number;
  readonly etag: string;
  readonly modifiedSeconds: number | null;
  readonly contentType: string;
  /** Fields of every 200 and 206 about this file besides its type. */
  readonly headers: HeaderList;
  readonly #handle: FileHandle | null;
  readonly #status: BigIntStats;
  readonly #settled: boolean;
  readonly #whole: Response | null;
  #notModified: Response | null = null;
  #senders = 0;
  #retired = false;

  /** `handle` is the file's own when its content is not in memory. */
  constructor(path: string, status: BigIntStats, content: Buffer | null, handle: FileHandle | null) {
    this.path = path;
    this.size = Number(status.size);
    this.#handle = handle;
    this.#status = status;
    this.#settled = Math.max(Number(status.mtimeMs), Number(status.ctimeMs)) < Date.now() - SETTLED_MS;
    this.etag = content === null ? tagOfVersion(status) : tagOfContent(content);
    this.modifiedSeconds = pastSeconds(status);
    this.contentType = contentType(path);
    this.headers = this.#fields(content);
    this.#whole = content === null ? null : this.#wholeFrom(content);
  }

  /** All bytes of a file in memory, otherwise null. */
  get content(): Buffer | null {
    return this.#whole === null ? null : (this.#whole.body as Buffer);
  }

  /** Bytes that the cache accounts for. */
  get memoryBytes(): number {
    return OVERHEAD_BYTES + (this.#whole === null ? 0 : this.size);
  }

  /** Whether a file with this status is certainly the version that was read. */
  isCurrent(status: BigIntStats): boolean {
    const { mtimeNs, ctimeNs, size, ino, dev } = this.#status;
    const same = status.mtimeNs === mtimeNs && status.ctimeNs === ctimeNs && status.size === size;
    return this.#settled && same && status.ino === ino && status.dev === dev;
  }

  /** The answer with the whole file. For a file in memory it is the same object each time. */
  whole(): Response {
    if (this.#whole !== null) return this.#whole;
    return Response.fromHeaders(200, this.#wholeHeaders(), this.slice(0, this.size));
  }

  /** RFC 9110 section 15.4.5: what a cache needs to find and renew its copy, no more. */
  notModified(): Response {
    const names = ['ETag', 'Cache-Control'];
    const headers = names.flatMap((name) => [name, this.headers[this.headers.indexOf(name) + 1] as string]);
    this.#notModified ??= Response.fromHeaders(304, headers, null);
    return this.#notModified;
  }

  /** The bytes `start` to `end` as a body. */
  slice(start: number, end: number): Buffer | FileBody {
    const { content } = this;
    if (content !== null) return content.subarray(start, end);
    const handle = this.#handle as FileHandle;
    this.#senders += 1;
    return { fd: handle.fd, start, end, release: () => this.#released() };
  }

  /** The cache does not need it any more. */
  retire(): void {
    this.#retired = true;
    this.#closeWhenUnused();
  }

  #wholeFrom(content: Buffer): Response {
    if (content.length <= STANDING_BYTES_MAX) return new StandingResponse(200, this.#wholeHeaders(), content);
    return Response.fromHeaders(200, this.#wholeHeaders(), content);
  }

  #wholeHeaders(): HeaderList {
    return ['Content-Type', this.contentType, 'Content-Length', `${this.size}`, ...this.headers];
  }

  #fields(content: Buffer | null): HeaderList {
    const { modifiedSeconds } = this;
    const modified = modifiedSeconds === null ? [] : ['Last-Modified', new Date(modifiedSeconds * 1000).toUTCString()];
    const lifetime = content !== null && isNamedAfter(content, this.path) ? FOR_GOOD : 'no-cache';
    const caching = ['ETag', this.etag, 'Cache-Control', lifetime];
    return [...modified, ...caching, 'Accept-Ranges', 'bytes', 'X-Content-Type-Options', 'nosniff'];
  }

  #released(): void {
    this.#senders -= 1;
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    if (this.#retired && this.#senders === 0) void this.#handle?.close();
  }
}

const FOR_GOOD = 'public, max-age=31536000, immutable';

/** Whether the name holds the hash of the content, as Django's ManifestStaticFilesStorage writes it: then neither ever changes. */
function isNamedAfter(content: Buffer, path: string): boolean {
  const hash = /\.([0-9a-f]{12})(?:\.[^./]*)?$/.exec(path)?.[1];
  if (hash === undefined) return false;
  try {
    return createHash('md5').update(content).digest('hex').startsWith(hash);
  } catch {
    return false; // a system under FIPS 140 rules has no MD5
  }
}

/** The same on every machine that has the file. */
function tagOfContent(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

/** Of what a program that changes a file cannot keep: its length and times may be set back, the time of that itself cannot. */
function tagOfVersion({ size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `"${size.toString(36)}-${mtimeNs.toString(36)}-${ctimeNs.toString(36)}"`;
}

/** RFC 9110 section 8.8.2.1: a date of modification never lies in the future. */
function pastSeconds({ mtimeNs }: BigIntStats): number | null {
  const seconds = Math.floor(Number(mtimeNs) / 1e9);
  return seconds >= 0 && seconds <= Date.now() / 1000 ? seconds : null;
}
