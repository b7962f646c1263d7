import { type Backend, backendName } from './backend.ts';
import type { Upstream, UpstreamClient } from './upstream.ts';

/** What an operator set for a backend, and what checks found. It outlives the proxy of the backend. */
export interface BackendOverride {
  /** A draining backend receives only requests of its sticky sessions. */
  draining?: boolean;
  /** Replaces the configured weight. */
  weight?: number;
  /** The results of the last checks, by the path of the check. */
  health?: Record<string, boolean>;
}

/**
 * Overrides by the names of the backends. An owner that replaces a proxy by another keeps this map, so that the
 * overrides survive.
 */
export type BackendOverrides = Map<string, BackendOverride>;

/** A backend of a proxy, with its current state. */
export class BackendState implements Upstream {
  readonly name: string;
  readonly backend: Backend;
  readonly client: UpstreamClient;
  readonly override: BackendOverride;
  /** The key of this proxy's check results in `override.health`; '' without checks. */
  readonly check: string;
  /** True for a backend that joined after the start and that no check has found healthy yet. */
  awaitsCheck = false;
  /** Current share of the requests. It is less than `share` during a slow start. */
  weight: number;
  /** Start time of the slow start in ms; null without one. */
  startedMs: number | null = null;
  /** Number of the last update in which a source listed this backend. */
  generation = 0;
  /** Requests that were sent here, and those that failed here. Only metrics read these. */
  requests = 0;
  failures = 0;
  /** Service discovery no longer lists this backend. */
  gone = false;

  constructor(
    backend: Backend,
    override: BackendOverride,
    check: string,
    createClient: (state: BackendState) => UpstreamClient,
  ) {
    this.name = backendName(backend);
    this.backend = backend;
    this.override = override;
    this.check = check;
    this.weight = this.share;
    this.client = createClient(this);
  }

  /** The operator's weight, else the configured weight. */
  get share(): number {
    return this.override.weight ?? this.backend.weight ?? 1;
  }

  /** The result of the last checks; undefined before the first result. */
  get checkResult(): boolean | undefined {
    return this.override.health?.[this.check];
  }

  set checkResult(healthy: boolean) {
    this.override.health = { ...this.override.health, [this.check]: healthy };
  }

  get healthy(): boolean {
    return this.checkResult ?? !this.awaitsCheck;
  }

  get draining(): boolean {
    return this.override.draining === true;
  }

  /** Whether the backend may receive requests of any client. */
  get available(): boolean {
    return this.healthy && !this.draining && !this.gone;
  }
}
