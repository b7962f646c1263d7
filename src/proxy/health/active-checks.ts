import type { Request } from '../../http/message.ts';
import type { Member } from '../../upstream/member.ts';
import { ownRequest } from '../replayable-request.ts';
import { type Expectation, probe } from './probe.ts';

export interface ActiveCheckOptions extends Expectation {
  /** Path, and query, that is asked for with GET. */
  readonly path: string;
  /** The Host that is sent; null for the backend's own. */
  readonly host: string | null;
  /** From one check to the next. */
  readonly intervalMs: number;
  /** An answer must be there whole within this time. */
  readonly timeoutMs: number;
  /** A backend counts as healthy after so many good answers in a row, and as not healthy after so many others. */
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

export interface ActiveCheckEvents {
  /** `reason` says what is wrong; null for a backend that is healthy again. */
  readonly onChanged: (member: Member, reason: string | null) => void;
}

interface Watch {
  /** Answers of the same kind in a row: good ones above 0, others below. */
  run: number;
  timer: NodeJS.Timeout | null;
  request: Request | null;
  /** What the backend did instead of answering. */
  failure: string | null;
}

/** Checks are spread over this part of the interval, so that many backends are not asked at once. */
const SPREAD = 0.2;

/** Asks backends again and again whether they are well. */
export class ActiveChecks {
  readonly #options: ActiveCheckOptions;
  readonly #events: ActiveCheckEvents;
  readonly #watches = new Map<Member, Watch>();
  readonly #byRequest = new WeakMap<Request, Watch>();

  constructor(options: ActiveCheckOptions, events: ActiveCheckEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Begins to check `member`: at once. */
  joined(member: Member): void {
    const watch: Watch = { run: 0, timer: null, request: null, failure: null };
    this.#watches.set(member, watch);
    watch.timer = setTimeout(
      () => void this.#check(member, watch),
      Math.random() * SPREAD * this.#options.intervalMs,
    ).unref();
  }

  left(member: Member): void {
    const watch = this.#watches.get(member);
    if (watch === undefined) return;
    this.#watches.delete(member);
    if (watch.timer !== null) clearTimeout(watch.timer);
    this.#end(watch);
  }

  /** The backend has failed `request`, which is one of a check. */
  failed(request: Request, reason: string): void {
    const watch = this.#byRequest.get(request);
    if (watch !== undefined) watch.failure ??= reason;
  }

  isCheck(request: Request): boolean {
    return this.#byRequest.has(request);
  }

  stop(): void {
    for (const member of [...this.#watches.keys()]) this.left(member);
  }

  async #check(member: Member, watch: Watch): Promise<void> {
    const { path, host, timeoutMs, intervalMs } = this.#options;
    const headers = [...(host === null ? [] : ['Host', host]), 'User-Agent', 'Viaduct (health check)', 'Accept', '*/*'];
    const request = ownRequest('GET', path, headers);
    watch.request = request;
    watch.failure = null;
    this.#byRequest.set(request, watch);
    const late = setTimeout(() => {
      watch.failure ??= `no answer within ${timeoutMs} ms`;
      this.#end(watch);
    }, timeoutMs).unref();
    const wrong = await probe(member.protocol, request, this.#options).catch((error: Error) => error.message);
    clearTimeout(late);
    watch.request = null;
    if (this.#watches.get(member) !== watch) return;
    this.#note(member, watch, watch.failure ?? wrong);
    const waitMs = intervalMs * (1 - SPREAD * Math.random());
    watch.timer = setTimeout(() => void this.#check(member, watch), waitMs).unref();
  }

  #note(member: Member, watch: Watch, wrong: string | null): void {
    const { healthyAfter, unhealthyAfter } = this.#options;
    if (wrong === null) watch.run = Math.max(0, watch.run) + 1;
    else watch.run = Math.min(0, watch.run) - 1;
    // One that has just come needs one good answer only.
    const needed = member.found === undefined ? 1 : healthyAfter;
    if (wrong === null && !member.healthy && watch.run >= needed) this.#change(member, null);
    else if (wrong !== null && member.healthy && -watch.run >= unhealthyAfter) this.#change(member, wrong);
  }

  #change(member: Member, reason: string | null): void {
    member.found = reason === null;
    this.#events.onChanged(member, reason);
  }

  /** The answer is not awaited any more. */
  #end(watch: Watch): void {
    if (watch.request === null) return;
    const { onGone } = watch.request;
    watch.request.onGone = null;
    onGone?.();
  }
}
