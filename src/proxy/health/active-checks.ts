import type { Request } from '../../http/message.ts';
import type { BackendState } from '../backend-state.ts';
import { internalRequest } from '../replayable-request.ts';
import { type Expectation, probe } from './probe.ts';

export interface ActiveCheckOptions extends Expectation {
  /** Path, optionally with a query, of the GET requests. */
  readonly path: string;
  /** The Host field of the checks; null for the backend's own. */
  readonly host: string | null;
  /** Time from one check to the next. */
  readonly intervalMs: number;
  /** The complete response must arrive within this time. */
  readonly timeoutMs: number;
  /** Number of good responses in a row that make a backend healthy, and of bad ones that make it unhealthy. */
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

export interface ActiveCheckEvents {
  /** `reason` is the problem; null for a backend that has become healthy. */
  readonly onChanged: (state: BackendState, reason: string | null) => void;
}

interface Watch {
  /** Results of the same kind in a row: positive for good results, negative for bad ones. */
  run: number;
  timer: NodeJS.Timeout | null;
  request: Request | null;
  /** The reason when the backend returned no response. */
  failure: string | null;
}

/** Intervals vary randomly by this fraction, so that many backends are not checked at the same moment. */
const SPREAD = 0.2;

/** Checks the health of backends by repeated requests. */
export class ActiveChecks {
  readonly #options: ActiveCheckOptions;
  readonly #events: ActiveCheckEvents;
  readonly #watches = new Map<BackendState, Watch>();
  readonly #byRequest = new WeakMap<Request, Watch>();

  constructor(options: ActiveCheckOptions, events: ActiveCheckEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Starts to check a backend, with a short random delay. */
  onJoined(state: BackendState): void {
    const watch: Watch = { run: 0, timer: null, request: null, failure: null };
    this.#watches.set(state, watch);
    watch.timer = setTimeout(
      () => void this.#check(state, watch),
      Math.random() * SPREAD * this.#options.intervalMs,
    ).unref();
  }

  onLeft(state: BackendState): void {
    const watch = this.#watches.get(state);
    if (watch === undefined) return;
    this.#watches.delete(state);
    if (watch.timer !== null) clearTimeout(watch.timer);
    this.#cancel(watch);
  }

  /** Must be called when the backend has failed the check `request`. */
  failed(request: Request, reason: string): void {
    const watch = this.#byRequest.get(request);
    if (watch !== undefined) watch.failure ??= reason;
  }

  isCheck(request: Request): boolean {
    return this.#byRequest.has(request);
  }

  stop(): void {
    for (const state of [...this.#watches.keys()]) this.onLeft(state);
  }

  async #check(state: BackendState, watch: Watch): Promise<void> {
    const { path, host, timeoutMs, intervalMs } = this.#options;
    const headers = [...(host === null ? [] : ['Host', host]), 'User-Agent', 'Viaduct (health check)', 'Accept', '*/*'];
    const request = internalRequest('GET', path, headers);
    watch.request = request;
    watch.failure = null;
    this.#byRequest.set(request, watch);
    const timeout = setTimeout(() => {
      watch.failure ??= `no answer within ${timeoutMs} ms`;
      this.#cancel(watch);
    }, timeoutMs).unref();
    const problem = await probe(state.client, request, this.#options).catch((error: Error) => error.message);
    clearTimeout(timeout);
    watch.request = null;
    if (this.#watches.get(state) !== watch) return;
    this.#record(state, watch, watch.failure ?? problem);
    const waitMs = intervalMs * (1 - SPREAD * Math.random());
    watch.timer = setTimeout(() => void this.#check(state, watch), waitMs).unref();
  }

  #record(state: BackendState, watch: Watch, problem: string | null): void {
    const { healthyAfter, unhealthyAfter } = this.#options;
    if (problem === null) watch.run = Math.max(0, watch.run) + 1;
    else watch.run = Math.min(0, watch.run) - 1;
    // A backend without a result yet needs only one good response.
    const needed = state.checkResult === undefined ? 1 : healthyAfter;
    if (problem === null && !state.healthy && watch.run >= needed) this.#change(state, null);
    else if (problem !== null && state.healthy && -watch.run >= unhealthyAfter) this.#change(state, problem);
  }

  #change(state: BackendState, reason: string | null): void {
    state.checkResult = reason === null;
    this.#events.onChanged(state, reason);
  }

  /** Cancels the check in progress. */
  #cancel(watch: Watch): void {
    if (watch.request === null) return;
    const { onGone } = watch.request;
    watch.request.onGone = null;
    onGone?.();
  }
}
