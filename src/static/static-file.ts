import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { FileBody, HeaderList } from '../http/message.ts';
import { PreparedResponse } from '../http/prepared-response.ts';
import { Response } from '../http/response.ts';
import type { Validators } from '../http/semantics/conditional.ts';
import type { Coding } from './mount.ts';
import { type Presentation, plainPresentation } from './presentation.ts';

/** Memory of a cached file in addition to its content. */
const OVERHEAD_BYTES = 2048;
/** Larger content is sent in pieces, because only then back-pressure from the client is visible. */
const PREPARED_BYTES_MAX = 262_144;
/**
 * A file modified more recently may change again without a visible sign: timestamps of file systems may be as coarse as two
 * seconds.
 */
const SETTLED_MS = 2000;

/** What tells the versions of a file apart. */
export type FileVersion = Pick<BigIntStats, 'size' | 'mtimeMs' | 'mtimeNs' | 'ctimeMs' | 'ctimeNs' | 'ino' | 'dev'>;

/**
 * One version of a file, ready to send: its content in memory, or its descriptor, which stays open while a response
 * uses it.
 */
export class StaticFile implements Validators {
  readonly path: string;
  readonly size: number;
  readonly etag: string;
  readonly modifiedSeconds: number | null;
  readonly presentation: Presentation;
  /** The directory in which the file was found. */
  readonly root: string;
  /** See `Candidate`. */
  readonly basis: object | null;
  /** Codings for which an encoded file exists beside this file; null without any. */
  readonly encodings: readonly Coding[] | null;
  /** Fields of every 200 and 206 for this file, except its type. */
  readonly headers: HeaderList;
  readonly #handle: FileHandle | null;
  readonly #status: FileVersion;
  readonly #isSettled: boolean;
  readonly #whole: Response | null;
  #notModified: Response | null = null;
  #senders = 0;
  #retired = false;

  /** `handle` is the file's own when its content is not in memory. */
  constructor(
    path: string,
    status: FileVersion,
    content: Buffer | null,
    handle: FileHandle | null,
    { root = '', basis = null, encodings = [], presentation = plainPresentation(path) }: FileOrigin = {},
  ) {
    this.path = path;
    this.size = Number(status.size);
    this.#handle = handle;
    if (handle !== null) unretiredHandles.register(this, handle, this);
    this.#status = status;
    this.#isSettled = Math.max(Number(status.mtimeMs), Number(status.ctimeMs)) < Date.now() - SETTLED_MS;
    this.etag = content === null ? tagOfVersion(status) : tagOfContent(content);
    this.modifiedSeconds = pastSeconds(status);
    this.root = root;
    this.basis = basis;
    this.encodings = encodings.length === 0 ? null : encodings;
    this.presentation = presentation;
    this.headers = this.#fields();
    this.#whole = content === null ? null : this.#wholeFrom(content);
  }

  get contentType(): string {
    return this.presentation.contentType;
  }

  /** The content of a file in memory, otherwise null. */
  get content(): Buffer | null {
    return this.#whole === null ? null : (this.#whole.body as Buffer);
  }

  /** Bytes that the cache counts for this file. */
  get memoryBytes(): number {
    return OVERHEAD_BYTES + (this.#whole === null ? 0 : this.size);
  }

  /** Whether a file with this status is certainly the version that was read. */
  isCurrent(status: FileVersion): boolean {
    const { mtimeNs, ctimeNs, size, ino, dev } = this.#status;
    const isSame = status.mtimeNs === mtimeNs && status.ctimeNs === ctimeNs && status.size === size;
    return this.#isSettled && isSame && status.ino === ino && status.dev === dev;
  }

  /** The response with the complete file. For a file in memory it is always the same object. */
  whole(): Response {
    if (this.#whole !== null) return this.#whole;
    return Response.fromHeaders(200, this.#wholeHeaders(), this.slice(0, this.size));
  }

  /** RFC 9110 section 15.4.5: the fields that a cache needs to find and renew its copy, and the fields of the mount. */
  notModified(): Response {
    this.#notModified ??= Response.fromHeaders(304, this.#fieldsOf304(), null);
    return this.#notModified;
  }

  /** The bytes `start` to `end` as a body. */
  slice(start: number, end: number): Buffer | FileBody {
    const { content } = this;
    if (content !== null) return content.subarray(start, end);
    const handle = this.#handle as FileHandle;
    this.#senders += 1;
    return { fd: handle.fd, start, end, release: () => this.#onReleased() };
  }

  /**
   * Keeps the file ready to send, even when the cache drops it. The caller must call the returned function once to
   * release the file.
   */
  hold(): () => void {
    this.#senders += 1;
    return () => this.#onReleased();
  }

  /** The cache no longer needs the file. */
  retire(): void {
    this.#retired = true;
    this.#closeWhenUnused();
  }

  #wholeFrom(content: Buffer): Response {
    if (content.length <= PREPARED_BYTES_MAX) return new PreparedResponse(200, this.#wholeHeaders(), content);
    return Response.fromHeaders(200, this.#wholeHeaders(), content);
  }

  #wholeHeaders(): HeaderList {
    return ['Content-Type', this.contentType, 'Content-Length', `${this.size}`, ...this.headers];
  }

  #fields(): HeaderList {
    const { modifiedSeconds } = this;
    const { encoding, mountHeaders } = this.presentation;
    const modified = modifiedSeconds === null ? [] : ['Last-Modified', new Date(modifiedSeconds * 1000).toUTCString()];
    const encoded = encoding === null ? [] : ['Content-Encoding', encoding];
    const fields = [...modified, ...this.#caching(), 'Accept-Ranges', 'bytes', 'X-Content-Type-Options', 'nosniff'];
    return [...encoded, ...withoutNames(fields, mountHeaders), ...mountHeaders];
  }

  #fieldsOf304(): HeaderList {
    const { mountHeaders } = this.presentation;
    return [...withoutNames(this.#caching(), mountHeaders), ...mountHeaders];
  }

  #caching(): HeaderList {
    const { lifetime, varies } = this.presentation;
    const caching = ['ETag', this.etag, 'Cache-Control', lifetime];
    return varies ? [...caching, 'Vary', 'Accept-Encoding'] : caching;
  }

  #onReleased(): void {
    this.#senders -= 1;
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    if (this.#handle === null || !this.#retired || this.#senders > 0) return;
    unretiredHandles.unregister(this);
    void this.#handle.close();
  }
}

/** Closes the handles of files that were never retired, for example after a change of the configuration. */
const unretiredHandles = new FinalizationRegistry<FileHandle>((handle) => void handle.close());

/** Where a file comes from and how it is presented. */
export interface FileOrigin {
  readonly root?: string;
  readonly basis?: object | null;
  readonly encodings?: readonly Coding[];
  readonly presentation?: Presentation;
}

/** `fields` without those that `others` also contain. Vary is kept, because several Vary fields add up. */
function withoutNames(fields: HeaderList, others: HeaderList): HeaderList {
  if (others.length === 0) return fields;
  const names = new Set(others.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
  names.delete('vary');
  return fields.filter((_, i) => !names.has((fields[i - (i % 2)] as string).toLowerCase()));
}

/** The same on every machine that has the file. */
function tagOfContent(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

/**
 * Identifies a version by values that no program can restore after it changed the file. A program can set back the size
 * and the modification time, but not the time of the status change.
 */
function tagOfVersion({ size, mtimeNs, ctimeNs }: FileVersion): string {
  return `"${size.toString(36)}-${mtimeNs.toString(36)}-${ctimeNs.toString(36)}"`;
}

/** RFC 9110 section 8.8.2.1: a modification date must not be in the future. */
function pastSeconds({ mtimeNs }: FileVersion): number | null {
  const seconds = Math.floor(Number(mtimeNs) / 1e9);
  return seconds >= 0 && seconds <= Date.now() / 1000 ? seconds : null;
}
