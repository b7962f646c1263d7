import { type Backend, backendName } from './backend.ts';
import { type BackendOverrides, BackendState } from './backend-state.ts';
import type { UpstreamClient } from './upstream.ts';

export interface BackendPoolOptions {
  readonly overrides: BackendOverrides;
  /**
   * How long a new or recovered backend takes to reach its full share of the requests. 0 gives the full share at once.
   */
  readonly slowStartMs: number;
  /**
   * Path of the health checks, '' without checks. With checks, a backend that joins later waits for its first good
   * check.
   */
  readonly check: string;
  readonly createClient: (state: BackendState) => UpstreamClient;
  /** Called for each backend that joins. */
  readonly onJoined: (state: BackendState) => void;
  /** Called for each backend that has left for good. */
  readonly onLeft: (state: BackendState) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Number of steps of a slow start. */
const SLOW_START_STEPS = 10;

/** The backends of a proxy, and which of them may receive requests. The arrays stay identical while nothing changes. */
export class BackendPool {
  readonly #options: BackendPoolOptions;
  readonly #states = new Map<string, BackendState>();
  readonly #byBackend = new WeakMap<Backend, BackendState>();
  #generation = 0;
  readonly #sources = new Map<number, readonly Backend[]>();
  readonly #leaving = new Set<BackendState>();
  #primaries: readonly BackendState[] = [];
  #backups: readonly BackendState[] = [];
  #ramp: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: BackendPoolOptions) {
    this.#options = options;
  }

  /** Available backends that are not backups. */
  get primaries(): readonly BackendState[] {
    return this.#primaries;
  }

  /** Available backups. They receive requests when no primary can. */
  get backups(): readonly BackendState[] {
    return this.#backups;
  }

  /** All backends except those that service discovery no longer lists. */
  get states(): readonly BackendState[] {
    return [...this.#states.values()];
  }

  get size(): number {
    return this.#states.size;
  }

  find(name: string): BackendState | undefined {
    return this.#states.get(name);
  }

  /**
   * Replaces the backends of one source. New backends join. A backend that no source lists any more finishes its
   * requests and leaves.
   */
  update(source: number, backends: readonly Backend[]): void {
    if (this.#stopped) return;
    const isFirst = this.#sources.get(source) === undefined;
    this.#sources.set(source, backends);
    this.#generation += 1;
    for (const known of this.#sources.values()) for (const backend of known) this.#markPresent(backend, !isFirst);
    for (const state of this.#states.values()) if (state.generation !== this.#generation) this.#remove(state);
    this.refresh();
  }

  /**
   * Marks `backend` as present. A discovery source returns the same object for an unchanged backend, so the object
   * itself needs no comparison.
   */
  #markPresent(backend: Backend, joinsLater: boolean): void {
    let state = this.#byBackend.get(backend);
    if (state === undefined || state.gone) {
      const name = backendName(backend);
      const namesake = this.#states.get(name);
      if (namesake !== undefined && !isSame(namesake.backend, backend)) this.#remove(namesake);
      state = this.#states.get(name) ?? this.#add(backend, joinsLater);
      this.#byBackend.set(backend, state);
    }
    state.generation = this.#generation;
  }

  /** Recomputes which backends are available. Must be called when anything about a backend has changed. */
  refresh(): void {
    const primaries: BackendState[] = [];
    const backups: BackendState[] = [];
    for (const state of this.#states.values()) {
      if (state.startedMs === null) state.weight = state.share;
      if (state.available) (state.backend.backup === true ? backups : primaries).push(state);
    }
    this.#primaries = primaries;
    this.#backups = backups;
  }

  /** Starts the slow start of a recovered backend: its share grows like that of a new backend. */
  startSlowly(state: BackendState): void {
    if (this.#options.slowStartMs === 0 || this.#stopped) return;
    state.startedMs = this.#options.now();
    state.weight = state.share / SLOW_START_STEPS;
    this.#ramp ??= setInterval(() => this.#raiseWeights(), this.#options.slowStartMs / SLOW_START_STEPS).unref();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#ramp !== null) clearInterval(this.#ramp);
    for (const state of this.#all()) state.client.stop();
  }

  destroy(): void {
    this.stop();
    for (const state of this.#all()) state.client.destroy();
  }

  /**
   * Must be called when a request has left a backend. A backend that discovery no longer lists is forgotten after its
   * last request.
   */
  onFreed(state: BackendState): void {
    if (state.gone && state.client.active === 0) this.#forget(state);
  }

  #all(): readonly BackendState[] {
    return [...this.#states.values(), ...this.#leaving];
  }

  #add(backend: Backend, joinsLater: boolean): BackendState {
    const { overrides, createClient, onJoined, check } = this.#options;
    const name = backendName(backend);
    const override = overrides.get(name) ?? {};
    overrides.set(name, override);
    const state = new BackendState(backend, override, check, createClient);
    state.awaitsCheck = joinsLater && check !== '';
    this.#states.set(state.name, state);
    if (joinsLater) this.startSlowly(state);
    onJoined(state);
    return state;
  }

  #remove(state: BackendState): void {
    state.gone = true;
    this.#states.delete(state.name);
    this.#leaving.add(state);
    state.client.stop();
    if (state.client.active === 0) this.#forget(state);
  }

  #forget(state: BackendState): void {
    if (!this.#leaving.delete(state)) return;
    const { override } = state;
    if (override.draining !== true && override.weight === undefined && !this.#states.has(state.name))
      this.#options.overrides.delete(state.name);
    this.#options.onLeft(state);
  }

  #raiseWeights(): void {
    const { slowStartMs, now } = this.#options;
    let rising = false;
    for (const state of this.#states.values()) {
      if (state.startedMs === null) continue;
      const fraction = (now() - state.startedMs) / slowStartMs;
      if (fraction >= 1) state.startedMs = null;
      else rising = true;
      state.weight = state.share * Math.max(1 / SLOW_START_STEPS, Math.min(1, fraction));
    }
    this.refresh();
    if (rising || this.#ramp === null) return;
    clearInterval(this.#ramp);
    this.#ramp = null;
  }
}

/** Whether two backends of the same name have the same weight and role. */
function isSame(backend: Backend, other: Backend): boolean {
  return backend.weight === other.weight && backend.backup === other.backup;
}
