import { after, type HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { reasonPhrase } from '../http/semantics/status.ts';
import type { Member } from '../upstream/member.ts';
import type { Roster } from './backend-pool.ts';
import type { Balancer } from './balancer.ts';
import type { ActiveChecks } from './health/active-checks.ts';
import type { PassiveHealth } from './health/passive-health.ts';
import type { WaitingLine } from './request-queue.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { Sticky } from './sticky.ts';
import type { ProtocolOwner, Upstream, UpstreamFailure } from './upstream.ts';

export interface DispatcherParts {
  readonly roster: Roster;
  readonly balancer: Balancer;
  readonly passive: PassiveHealth;
  readonly retries: RetryPolicy;
  /** Null when sessions stick to nobody. */
  readonly sticky: Sticky | null;
  /** Null when backends are not checked. */
  readonly checks: ActiveChecks | null;
  /** Null when backends take as many requests as come. */
  readonly line: WaitingLine | null;
  /** So many requests may be with one backend; 0 for as many as come. */
  readonly connectionsMax: number;
  /** Statuses that count as failures of a backend. */
  readonly failedStatuses: ReadonlySet<number>;
  readonly onError: (message: string, request: Request) => void;
  readonly onInfo: (message: string) => void;
}

const NONE: readonly Upstream[] = [];
const NOBODY: readonly Member[] = [];

/** Finds a backend for each request: one that may be asked, has room, and is the balancer's choice; and another when that one fails. */
export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  handle(request: Request): HandlerResult {
    const { sticky, retries } = this.#parts;
    retries.requested();
    const result = this.#dispatch(request, NONE);
    return sticky === null ? result : after(result, (response) => sticky.mark(request, response));
  }

  /** What a backend's protocol tells of its requests. `member` is asked for only once there is one. */
  ownerOf(member: Member): ProtocolOwner {
    return {
      recover: (failure, request, tried) => this.#recover(member, failure, request, tried as readonly Member[]),
      responded: (status, request, tried) => this.#responded(member, status, request, tried.length),
      left: (request) => this.#parts.passive.gaveUp(member, request),
      freed: () => this.#freed(member),
    };
  }

  #dispatch(request: Request, tried: readonly Upstream[]): HandlerResult {
    const { line, passive } = this.#parts;
    const able = this.#able(request, tried as readonly Member[]);
    if (able.length === 0) return this.#nobody(request, tried);
    const member = this.#choose(request, able);
    if (member === null) return line?.join(request, tried) ?? unavailable(1);
    passive.asks(member, request);
    return member.protocol.send(request, tried);
  }

  /** Those that may be asked now: sessions stay where they are; primaries come first, backups next; those that rest come when there is nobody else. */
  #able(request: Request, tried: readonly Member[]): readonly Member[] {
    const { sticky, roster, passive } = this.#parts;
    const own = sticky?.memberOf(request) ?? null;
    if (own !== null && !tried.includes(own) && !passive.isResting(own)) return [own];
    const primaries = without(roster.primaries, tried);
    const awake = passive.awake(primaries);
    if (awake.length > 0) return awake as readonly Member[];
    const backups = without(roster.backups, tried);
    const awakeBackups = passive.awake(backups);
    if (awakeBackups.length > 0) return awakeBackups as readonly Member[];
    const last = passive.lastResort(primaries);
    return (last.length > 0 ? last : passive.lastResort(backups)) as readonly Member[];
  }

  /** One of `able` that has room; null when none has. */
  #choose(request: Request, able: readonly Member[]): Member | null {
    const { connectionsMax, balancer } = this.#parts;
    const free = connectionsMax === 0 ? able : able.filter(({ protocol }) => protocol.active < connectionsMax);
    if (free.length <= 1) return free[0] ?? null;
    return balancer.pick(request, free.length === able.length ? able : free) as Member;
  }

  #recover(member: Member, failure: UpstreamFailure, request: Request, tried: readonly Member[]): HandlerResult {
    const { roster, passive, retries, checks, onError, onInfo } = this.#parts;
    const { phase, reason, status } = failure;
    const answer = Response.text(status, `${reasonPhrase(status)}\n`);
    if (checks?.isCheck(request) === true) {
      checks.failed(request, `${phase}: ${reason}`);
      return answer;
    }
    onError(`Cannot get a response from backend "${member.name}": ${phase}: ${reason}`, request);
    if (passive.failed(member, phase === 'connect') && (roster.size > 1 || passive.isOpen(member))) {
      onInfo(
        `Backend "${member.name}" gets no requests for ${Math.ceil(passive.restLeftMs(member))} ms: ${phase}: ${reason}`,
      );
    }
    const failed = [...tried, member];
    const repeats = retries.allows(failure, request, tried.length) && this.#able(request, failed).length > 0;
    return repeats ? this.#dispatch(request, failed) : answer;
  }

  /** Whether the response that has begun counts as a failure, for which another backend is asked. */
  #responded(member: Member, status: number, request: Request, failures: number): boolean {
    const { passive, sticky, retries, failedStatuses, checks } = this.#parts;
    if (checks?.isCheck(request) === true) return false;
    if (!failedStatuses.has(status)) passive.succeeded(member);
    else if (retries.isRepeatable(request, failures) && this.#able(request, [member]).length > 0) return true;
    else passive.failed(member, false);
    sticky?.answered(request, member);
    return false;
  }

  #freed(member: Member): void {
    const { roster, line } = this.#parts;
    roster.freed(member);
    if (line === null || line.length === 0) return;
    line.advance((request, tried) => {
      const able = this.#able(request, tried as readonly Member[]);
      const chosen = this.#choose(request, able);
      if (chosen === null) return able.length === 0 ? this.#nobody(request, tried) : null;
      this.#parts.passive.asks(chosen, request);
      return chosen.protocol.send(request, tried);
    });
  }

  /** No backend may be asked. */
  #nobody(request: Request, tried: readonly Upstream[]): HandlerResult {
    const { roster, passive, onError } = this.#parts;
    const { members } = roster;
    const states = members.slice(0, 5).map((member) => `"${member.name}" ${stateOf(member, passive)}`);
    const why = members.length === 0 ? 'there is none' : states.join(', ') + (members.length > 5 ? ', …' : '');
    if (tried.length === 0) onError(`Cannot choose a backend: ${why}`, request);
    const rests = members.map((member) => passive.restLeftMs(member)).filter((ms) => ms > 0);
    return unavailable(rests.length === 0 ? 1 : Math.ceil(Math.min(...rests) / 1000));
  }
}

/** What a backend does now, in a word for people. */
export type MemberState = 'up' | 'draining' | 'unhealthy' | 'resting' | 'leaving';

export function stateOf(member: Member, passive: PassiveHealth): MemberState {
  if (member.gone) return 'leaving';
  if (member.draining) return 'draining';
  if (!member.healthy) return 'unhealthy';
  return passive.isResting(member) ? 'resting' : 'up';
}

export function unavailable(retryAfterS: number): Response {
  return Response.text(503, `${reasonPhrase(503)}\n`, ['Retry-After', `${retryAfterS}`]);
}

/** Those that have not failed the request. */
function without(members: readonly Member[], tried: readonly Member[]): readonly Member[] {
  if (tried.length === 0) return members;
  const left = members.filter((member) => !tried.includes(member));
  return left.length === 0 ? NOBODY : left;
}
