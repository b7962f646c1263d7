import { Member, type Standings } from '../upstream/member.ts';
import { type Backend, backendName } from './backend.ts';
import type { BackendProtocol } from './upstream.ts';

export interface RosterOptions {
  readonly standings: Standings;
  /** How long a backend that has come, or has come back, takes to get its whole share. 0 gives it at once. */
  readonly slowStartMs: number;
  /** What backends are checked with, '' when they are not. Those that come later wait until a check finds them healthy. */
  readonly check: string;
  readonly protocolOf: (member: Member) => BackendProtocol;
  /** Told of each that comes. */
  readonly onJoined: (member: Member) => void;
  /** Told of each that is gone for good. */
  readonly onLeft: (member: Member) => void;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

/** A slow start has so many steps. */
const STEPS = 10;

/** The backends of a proxy: who is there, and who may be asked. Arrays stay the same as long as nothing changes. */
export class Roster {
  readonly #options: RosterOptions;
  readonly #members = new Map<string, Member>();
  readonly #byBackend = new WeakMap<Backend, Member>();
  #generation = 0;
  readonly #sources = new Map<number, readonly Backend[]>();
  readonly #leaving = new Set<Member>();
  #primaries: readonly Member[] = [];
  #backups: readonly Member[] = [];
  #ramp: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** Those that may be asked first. */
  get primaries(): readonly Member[] {
    return this.#primaries;
  }

  /** Those that may be asked when no primary can. */
  get backups(): readonly Member[] {
    return this.#backups;
  }

  /** All but those that discovery has forgotten. */
  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  get size(): number {
    return this.#members.size;
  }

  find(name: string): Member | undefined {
    return this.#members.get(name);
  }

  /** `backends` are all that this source knows now: new ones join, those that no source knows any more finish what they have and leave. */
  update(source: number, backends: readonly Backend[]): void {
    if (this.#stopped) return;
    const first = this.#sources.get(source) === undefined;
    this.#sources.set(source, backends);
    this.#generation += 1;
    for (const known of this.#sources.values()) for (const backend of known) this.#want(backend, !first);
    for (const member of this.#members.values()) if (member.generation !== this.#generation) this.#remove(member);
    this.refresh();
  }

  /** `backend` is there. Engines give the same objects for what has not changed, and of those nothing needs to be compared. */
  #want(backend: Backend, later: boolean): void {
    let member = this.#byBackend.get(backend);
    if (member === undefined || member.gone) {
      const name = backendName(backend);
      const before = this.#members.get(name);
      if (before !== undefined && !isSame(before.backend, backend)) this.#remove(before);
      member = this.#members.get(name) ?? this.#add(backend, later);
      this.#byBackend.set(backend, member);
    }
    member.generation = this.#generation;
  }

  /** To be called when something about a member has changed: who may be asked is found out anew. */
  refresh(): void {
    const able: Member[] = [];
    const backups: Member[] = [];
    for (const member of this.#members.values()) {
      if (member.startedMs === null) member.weight = member.share;
      if (member.available) (member.backend.backup === true ? backups : able).push(member);
    }
    this.#primaries = able;
    this.#backups = backups;
  }

  /** `member` is back: its share grows as that of a new one does. */
  startSlowly(member: Member): void {
    if (this.#options.slowStartMs === 0 || this.#stopped) return;
    member.startedMs = this.#options.now();
    member.weight = member.share / STEPS;
    this.#ramp ??= setInterval(() => this.#raise(), this.#options.slowStartMs / STEPS).unref();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#ramp !== null) clearInterval(this.#ramp);
    for (const member of this.#everyone()) member.protocol.stop();
  }

  destroy(): void {
    this.stop();
    for (const member of this.#everyone()) member.protocol.destroy();
  }

  /** A request has left a backend: one that discovery has forgotten may have had its last. */
  freed(member: Member): void {
    if (member.gone && member.protocol.active === 0) this.#forget(member);
  }

  #everyone(): readonly Member[] {
    return [...this.#members.values(), ...this.#leaving];
  }

  #add(backend: Backend, later: boolean): Member {
    const { standings, protocolOf, onJoined, check } = this.#options;
    const name = backendName(backend);
    const standing = standings.get(name) ?? {};
    standings.set(name, standing);
    const member = new Member(backend, standing, check, protocolOf);
    member.unproven = later && check !== '';
    this.#members.set(member.name, member);
    if (later) this.startSlowly(member);
    onJoined(member);
    return member;
  }

  #remove(member: Member): void {
    member.gone = true;
    this.#members.delete(member.name);
    this.#leaving.add(member);
    member.protocol.stop();
    if (member.protocol.active === 0) this.#forget(member);
  }

  #forget(member: Member): void {
    if (!this.#leaving.delete(member)) return;
    const { standing } = member;
    if (standing.draining !== true && standing.weight === undefined && !this.#members.has(member.name))
      this.#options.standings.delete(member.name);
    this.#options.onLeft(member);
  }

  #raise(): void {
    const { slowStartMs, now } = this.#options;
    let rising = false;
    for (const member of this.#members.values()) {
      if (member.startedMs === null) continue;
      const part = (now() - member.startedMs) / slowStartMs;
      if (part >= 1) member.startedMs = null;
      else rising = true;
      member.weight = member.share * Math.max(1 / STEPS, Math.min(1, part));
    }
    this.refresh();
    if (rising || this.#ramp === null) return;
    clearInterval(this.#ramp);
    this.#ramp = null;
  }
}

/** Whether a backend of the same name is asked the same way. */
function isSame(backend: Backend, other: Backend): boolean {
  return backend.weight === other.weight && backend.backup === other.backup;
}
