import { contentMemory } from '../http/buffering/content-memory.ts';
import type { Peer, Request } from '../http/message.ts';
import type { Refusal } from '../http/refusal.ts';
import type { CidrList } from '../http/semantics/cidr.ts';
import type { Arrival, ConnectionChanges } from '../http/transport/server-context.ts';
import { ConnectionLimit } from '../listen/connection-limit.ts';
import { trustProxies } from '../listen/trust/trust-policy.ts';
import {
  type AccessLog,
  type AccessLogFormat,
  createAccessLog,
  type LineSink,
  type OnAnswered,
} from '../log/access-log.ts';
import { hasLine, type LineRule } from '../log/line-rule.ts';
import type { Log } from '../log/log.ts';
import type { LogTap } from '../log/log-tap.ts';
import { RefusalLog, type Refused } from '../log/refusal-log.ts';
import type { Configuration } from './configuration.ts';
import { placeholdersOf } from './maps.ts';
import { limitsOf, lineRulesOf, trustedBy, trustedValuesOf } from './policies.ts';
import type { Site } from './schema/site.ts';

/** Counts what happens to clients. */
export interface ClientObserver {
  readonly onAnswered: OnAnswered;
  readonly onRefused: (what: Refused, reason: string) => void;
}

/** Records what happens to requests that it chooses. */
export interface RequestRecorder {
  /** Whether it must see requests. */
  readonly isOn: boolean;
  /** Sees a request as it `arrived`, and as it is `shown` to handlers. Returns what they get. */
  receive(arrived: Request, shown: Request, arrival: Arrival): Request;
  readonly onAnswered: OnAnswered;
}

const NO_MAPS: Site['map'] = {};

/** The rules for all clients: trusted proxies, the number of connections, limits, and the access log. */
export class ClientRules {
  readonly refusals: RefusalLog;
  readonly #log: Log;
  readonly #sink: LineSink;
  readonly #tap: LogTap | null;
  readonly #observer: ClientObserver | null;
  readonly #limit = new ConnectionLimit({ perAddressMax: 0, exempt: (address) => this.trusts(address) });
  readonly #recorder: RequestRecorder | null;
  #isRecording = false;
  #trusted: CidrList;
  #receive: (request: Request) => Request;
  #format: AccessLogFormat = 'off';
  #template: string | null = null;
  #maps: Site['map'] = NO_MAPS;
  #accessLog: AccessLog | null = null;

  /** `sink` takes the access log, and `tap` shows it to those who follow it. A null `observer` or `recorder` costs nothing. */
  constructor(
    configuration: Configuration,
    log: Log,
    sink: LineSink,
    observer: ClientObserver | null = null,
    tap: LogTap | null = null,
    recorder: RequestRecorder | null = null,
  ) {
    this.#tap = tap;
    this.#recorder = recorder;
    this.#log = log;
    this.#sink = sink;
    this.#observer = observer;
    this.refusals = new RefusalLog(log, (address) => this.trusts(address), observer?.onRefused);
    this.#trusted = trustedBy(configuration);
    this.#receive = this.#trusting(configuration);
  }

  /**
   * Uses the rules of `configuration` from now on. Returns the rules that connections must know. The access log, the
   * observer and the recorder leave out requests for which `isQuiet` is true once they are answered.
   */
  take(configuration: Configuration, isQuiet: (request: Request) => boolean): Required<ConnectionChanges> {
    const { accessLog, accessLogFormat, connectionsMax, connectionsPerAddressMax, contentMemoryBytesMax } =
      configuration.settings;
    this.#trusted = trustedBy(configuration);
    this.#receive = this.#trusting(configuration);
    contentMemory.bytesMax = contentMemoryBytesMax;
    this.#limit.perAddressMax = connectionsPerAddressMax;
    this.#write(accessLog, accessLogFormat, configuration.site?.map ?? NO_MAPS);
    const recorder = this.#recorder?.isOn === true ? this.#recorder : null;
    this.#isRecording = recorder !== null;
    return {
      limits: limitsOf(configuration),
      connectionsMax,
      admission: connectionsPerAddressMax === 0 ? null : this.#limit,
      onAnswered: onAnsweredBy(isQuiet, [
        this.#accessLog === null ? null : byRule(lineRulesOf(configuration), this.#accessLog.onAnswered),
        this.#observer?.onAnswered ?? null,
        recorder?.onAnswered ?? null,
      ]),
      notesArrival: recorder !== null,
    };
  }

  trusts(address: string): boolean {
    return this.#trusted.matches(address);
  }

  /** Applies the fields in which a trusted proxy describes the client. From anybody else, these fields are removed. */
  receive(request: Request, arrival: Arrival): Request {
    const shown = this.#receive(request);
    return this.#isRecording ? (this.#recorder?.receive(request, shown, arrival) ?? shown) : shown;
  }

  /** Writes what the logs have about a client's error. A `request` that was read has its line in the access log already. */
  refused(refusal: Refusal, peer: Peer, request: Request | null): void {
    this.refusals.request(refusal.status, refusal.reason, peer.remoteAddress);
    if (request === null) this.#accessLog?.onRefused(refusal, peer);
  }

  /** Writes the buffered lines of the logs. */
  flush(): void {
    this.#accessLog?.flush();
    this.refusals.flush();
  }

  #write(format: AccessLogFormat, template: string | null, maps: Site['map']): void {
    if (format === this.#format && template === this.#template && maps === this.#maps) return;
    this.#accessLog?.flush();
    this.#format = format;
    this.#template = template;
    this.#maps = maps;
    this.#accessLog = createAccessLog({
      format,
      template,
      placeholders: placeholdersOf(maps),
      sink: this.#sink,
      tap: this.#tap,
      onDropped: (lines) => {
        this.#log.warn('Access log lines were dropped: their reader is slower than the requests', { lines });
      },
    });
  }

  #trusting({ site }: Configuration): (request: Request) => Request {
    const trusted = this.#trusted;
    return trustProxies({
      trusted: (address) => trusted.matches(address),
      values: trustedValuesOf(site),
      fields: site?.trusted_proxy_fields ?? 'any',
      onIgnored: (message, peer) => this.#log.warn(message, { remote_address: peer.remoteAddress }),
    });
  }
}

/** A function that calls those that are there, in this order; null if none is. */
function onAnsweredBy(
  isQuiet: (request: Request) => boolean,
  callees: readonly (OnAnswered | null)[],
): OnAnswered | null {
  const [one, two, three] = callees.filter((callee) => callee !== null);
  if (one === undefined) return null;
  if (two === undefined)
    return (request, status, bodyBytes, startedAtMs) => {
      if (!isQuiet(request)) one(request, status, bodyBytes, startedAtMs);
    };
  return (request, status, bodyBytes, startedAtMs) => {
    if (isQuiet(request)) return;
    one(request, status, bodyBytes, startedAtMs);
    two(request, status, bodyBytes, startedAtMs);
    three?.(request, status, bodyBytes, startedAtMs);
  };
}

/** `onAnswered` for the requests that have a line by the rule of their route; of a route without a rule, all have one. */
function byRule(rules: ReadonlyMap<string, LineRule>, onAnswered: OnAnswered): OnAnswered {
  if (rules.size === 0) return onAnswered;
  return (request, status, bodyBytes, startedAtMs) => {
    const { record } = request;
    const rule = rules.get(record.route);
    if (rule === undefined || hasLine(rule, record, status, performance.now() - startedAtMs))
      onAnswered(request, status, bodyBytes, startedAtMs);
  };
}
