import type { Refusal } from '../refusal.ts';
import type { ServerContext } from '../transport/server-context.ts';
import { FieldMemory } from './header-cache.ts';
import { Input } from './input.ts';
import type { RequestHead } from './request-head.ts';

/** Finds one request head after another in what a connection received; what follows a head stays in `input`. */
export class RequestReader {
  readonly input = new Input();
  readonly #context: ServerContext;
  /** Borrowed while a head arrives. */
  #head: RequestHead | null = null;
  /** While requests follow one another: from the second on, because many connections have one only. */
  #memory: FieldMemory | null = null;
  #follows = false;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** A part of a head was read, be it only an empty line before it. */
  get waiting(): boolean {
    return this.#head !== null;
  }

  /** More than an empty line of the next request has come. */
  get begun(): boolean {
    return this.#head?.begun === true;
  }

  /** Returns the next head, to be given back to the context, or a refusal; null when it is not complete. */
  next(): RequestHead | Refusal | null {
    const { input } = this;
    if (input.length === 0) return null;
    const head = this.#head ?? this.#begin();
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

  /** Whether what was received and not used begins with `text`. */
  startsWith(text: string): boolean {
    const { bytes, at, end } = this.input;
    return end - at >= text.length && bytes.toString('latin1', at, at + text.length) === text;
  }

  #begin(): RequestHead {
    if (this.#follows) this.#memory ??= new FieldMemory();
    this.#follows = true;
    return this.#context.takeHead(this.#memory);
  }

  /** Nobody knows when the next request comes: holds no memory for its sake. */
  rest(): void {
    if (this.#head !== null) return;
    this.#memory = null;
    this.#follows = false;
  }

  /** Nothing more is to be read. */
  clear(): void {
    this.#head = null;
    this.#memory = null;
    this.input.clear();
  }
}
