import type { Refusal } from '../refusal.ts';
import { HeaderCache } from '../semantics/header-cache.ts';
import type { ServerContext } from '../transport/server-context.ts';
import { Input } from './input.ts';
import type { RequestHead } from './request-head.ts';

/** Finds the request heads in the bytes that a connection received. The bytes after a head stay in `input`. */
export class RequestReader {
  readonly input = new Input();
  readonly #context: ServerContext;
  /** Borrowed while a head arrives. */
  #head: RequestHead | null = null;
  /** Exists while requests follow one another, from the second request on: many connections have only one request. */
  #headerCache: HeaderCache | null = null;
  #follows = false;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Whether a part of a head was read, even if this is only an empty line before it. */
  get waiting(): boolean {
    return this.#head !== null;
  }

  /** Whether more than an empty line of the next request has arrived. */
  get started(): boolean {
    return this.#head?.started === true;
  }

  /** Returns the next head, or a refusal; null when the head is not complete. The caller gives a head back to the context. */
  next(): RequestHead | Refusal | null {
    const { input } = this;
    if (input.length === 0) return null;
    const head = this.#head ?? this.#takeHead();
    const progress = head.scan(input.bytes, input.at, input.end);
    if (progress === 'incomplete') {
      this.#head = head;
      return null;
    }
    this.#head = null;
    if (progress !== 'complete') return progress;
    const refusal = head.interpret(input.bytes, input.at);
    input.at += head.length;
    return refusal ?? head;
  }

  /** Whether the unused bytes start with `text`. */
  startsWith(text: string): boolean {
    const { bytes, at, end } = this.input;
    return end - at >= text.length && bytes.toString('latin1', at, at + text.length) === text;
  }

  #takeHead(): RequestHead {
    if (this.#follows) this.#headerCache ??= new HeaderCache();
    this.#follows = true;
    return this.#context.takeHead(this.#headerCache);
  }

  /** Releases the memory between two requests of an idle connection: the next request may come at any time or never. */
  releaseIdle(): void {
    if (this.#head !== null) return;
    this.#headerCache = null;
    this.#follows = false;
  }

  /** Releases all memory: the connection reads no more requests. */
  clear(): void {
    this.#head = null;
    this.#headerCache = null;
    this.input.clear();
  }
}
