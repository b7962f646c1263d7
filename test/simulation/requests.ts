import { isIdempotent } from '../../src/http/semantics/idempotent.ts';
import { fail, must } from './failure.ts';
import type { Plan } from './plan.ts';
import type { SimProcess } from './process.ts';

/** A start of a request by the application. */
export interface Attempt {
  readonly worker: SimProcess;
  readonly plan: Plan;
}

/** What is known about a request from outside of the server. */
export interface Entry {
  /** Identifies the request in its path, its content, and everything that the application answers. */
  readonly token: number;
  readonly method: string;
  /** The connection of the client, which its repeated fields name. */
  readonly connection: number;
  /** Bytes of content; -1 without content. */
  readonly length: number;
  readonly attempts: Attempt[];
  /** The status that settled the request; 0 before. */
  status: number;
  gone: boolean;
}

/** All requests that are not over, and the rules about their starts and outcomes. */
export class Requests {
  readonly open = new Map<number, Entry>();
  /** How often each outcome occurred, by status. */
  readonly outcomes = new Map<number, number>();
  readonly #retries: boolean;
  #lastToken = 0;

  /** `retries` is the setting `retryIdempotent`. */
  constructor(retries: boolean) {
    this.#retries = retries;
  }

  add(method: string, connection: number, length: number): Entry {
    this.#lastToken += 1;
    const token = this.#lastToken;
    const entry: Entry = { token, method, connection, length, attempts: [], status: 0, gone: false };
    this.open.set(token, entry);
    return entry;
  }

  /** The application starts a request. It starts once, or twice if the first worker died and the rules allow it. */
  started(token: number, attempt: Attempt): number {
    const entry = this.open.get(token);
    if (entry === undefined || entry.status !== 0) return fail(`request ${token} was started after it was answered`);
    const [first] = entry.attempts;
    if (first !== undefined) {
      must(first.worker.state === 'dead', () => `request ${token} was started twice, although its worker lives`);
      must(this.#mayRepeat(entry), () => `${entry.method} request ${token} was started once more`);
    }
    entry.attempts.push(attempt);
    return entry.attempts.length;
  }

  /** The server answers a request, once, with a status that what happened justifies. */
  settled(entry: Entry, status: number, queueIsOpen: boolean): void {
    const { token, attempts } = entry;
    must(entry.status === 0, () => `request ${token} was answered twice: ${entry.status} and ${status}`);
    entry.status = status;
    this.outcomes.set(status, (this.outcomes.get(status) ?? 0) + 1);
    const last = attempts.at(-1);
    const worker = last?.worker;
    if (status === 502) {
      const isJustified = worker?.state === 'dead' || last?.plan.kind === 'file';
      must(isJustified, () => `request ${token} got 502, although no worker died with it`);
      must(
        !this.#mayRepeat(entry) || last?.plan.kind === 'file',
        () => `request ${token} got 502 instead of a second start`,
      );
    } else if (status === 500) {
      const isJustified = last === undefined ? entry.length >= 0 : last.plan.kind === 'fail';
      must(isJustified, () => `request ${token} got 500, although the application did not fail`);
    } else if (status === 503) {
      // The server may stop between the death of a worker and the second start.
      const isUnstarted = worker === undefined || (worker.state === 'dead' && this.#mayRepeat(entry));
      must(isUnstarted, () => `request ${token} got 503, but was started`);
      must(!queueIsOpen, () => `request ${token} got 503, although the queue had room`);
    } else if (status === 499) {
      must(entry.gone, () => `request ${token} was dropped, although its client is there`);
      must(worker === undefined || worker.state === 'dead', () => `request ${token} was dropped while it ran`);
    }
  }

  /** Whether the request may be started once more after its worker died. */
  #mayRepeat({ method, attempts }: Entry): boolean {
    return this.#retries && isIdempotent(method) && attempts.length === 1;
  }

  /** Nothing more happens to the request: its client has everything, or has left. */
  close(entry: Entry): void {
    this.open.delete(entry.token);
  }
}
