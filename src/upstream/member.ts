import { type Backend, backendName } from '../proxy/backend.ts';
import type { BackendProtocol, Upstream } from '../proxy/upstream.ts';

/** What people have said about a backend, and checks have found, that outlives the proxy that it belongs to. */
export interface Standing {
  /** Gets no new requests, but those of its sticky sessions. */
  draining?: boolean;
  /** In place of the configured one. */
  weight?: number;
  /** What the last checks found, by what was asked for. */
  health?: Record<string, boolean>;
}

/** Standings by the backends' names. Whoever builds one proxy after another for the same backends keeps it. */
export type Standings = Map<string, Standing>;

/** A backend that a proxy has, and what is known of it. */
export class Member implements Upstream {
  readonly name: string;
  readonly backend: Backend;
  readonly protocol: BackendProtocol;
  readonly standing: Standing;
  /** Under which name `standing.health` has what checks of this proxy found; '' when there are none. */
  readonly check: string;
  /** No check has found it healthy yet, and it was not there from the beginning. */
  unproven = false;
  /** Share now. Less than `share` while it starts slowly. */
  weight: number;
  /** When its slow start began, in ms; null when it is over. */
  startedMs: number | null = null;
  /** The last look at all engines that has found it. */
  generation = 0;
  /** Discovery does not know it any more. */
  gone = false;

  constructor(backend: Backend, standing: Standing, check: string, protocolOf: (member: Member) => BackendProtocol) {
    this.name = backendName(backend);
    this.backend = backend;
    this.standing = standing;
    this.check = check;
    this.weight = this.share;
    this.protocol = protocolOf(this);
  }

  /** Its weight as it was configured or said. */
  get share(): number {
    return this.standing.weight ?? this.backend.weight ?? 1;
  }

  /** Whether the last checks found it so. Undefined before the first. */
  get found(): boolean | undefined {
    return this.standing.health?.[this.check];
  }

  set found(healthy: boolean) {
    this.standing.health = { ...this.standing.health, [this.check]: healthy };
  }

  get healthy(): boolean {
    return this.found ?? !this.unproven;
  }

  get draining(): boolean {
    return this.standing.draining === true;
  }

  /** May get requests of anybody. */
  get available(): boolean {
    return this.healthy && !this.draining && !this.gone;
  }
}
