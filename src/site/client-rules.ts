import type { Request } from '../http/message.ts';
import type { CidrList } from '../http/semantics/cidr.ts';
import type { ConnectionChanges } from '../http/transport/server-context.ts';
import { ConnectionLimit } from '../listen/connection-limit.ts';
import { trustProxies } from '../listen/trust/trust-policy.ts';
import { type AccessLog, type AccessLogFormat, createAccessLog, type LineSink } from '../log/access-log.ts';
import type { Log } from '../log/log.ts';
import type { Configuration } from './configuration.ts';
import { limitsOf, trustedBy } from './policies.ts';

/** What holds for all clients: whose word is taken, how many may come, what they are held to, and where it is written down. */
export class ClientRules {
  readonly #log: Log;
  readonly #sink: LineSink;
  readonly #limit = new ConnectionLimit({ perAddressMax: 0, exempt: (address) => this.trusts(address) });
  #trusted: CidrList;
  #receive: (request: Request) => Request;
  #format: AccessLogFormat = 'off';
  #accessLog: AccessLog | null = null;

  /** `sink` takes the access log. */
  constructor(configuration: Configuration, log: Log, sink: LineSink) {
    this.#log = log;
    this.#sink = sink;
    this.#trusted = trustedBy(configuration);
    this.#receive = this.#trusting(configuration);
  }

  /** Takes those of `configuration` from now on. Returns what connections must know of them. */
  take(configuration: Configuration): Required<ConnectionChanges> {
    const { accessLog, connectionsMax, connectionsPerAddressMax } = configuration.settings;
    this.#trusted = trustedBy(configuration);
    this.#receive = this.#trusting(configuration);
    this.#limit.perAddressMax = connectionsPerAddressMax;
    this.#write(accessLog);
    return {
      limits: limitsOf(configuration),
      connectionsMax,
      admission: connectionsPerAddressMax === 0 ? null : this.#limit,
      onAnswered: this.#accessLog === null ? null : this.#accessLog.onAnswered,
    };
  }

  trusts(address: string): boolean {
    return this.#trusted.matches(address);
  }

  /** What a trusted proxy says of the client is taken; what anybody else says goes. */
  receive(request: Request): Request {
    return this.#receive(request);
  }

  /** Writes what waits for the access log. */
  flush(): void {
    this.#accessLog?.flush();
  }

  #write(format: AccessLogFormat): void {
    if (format === this.#format) return;
    this.flush();
    this.#format = format;
    this.#accessLog = createAccessLog({
      format,
      sink: this.#sink,
      onDropped: (lines) =>
        this.#log.warn('Access log lines were dropped: their reader is slower than the requests', { lines }),
    });
  }

  #trusting({ site }: Configuration): (request: Request) => Request {
    const trusted = this.#trusted;
    return trustProxies({
      trusted: (address) => trusted.matches(address),
      fields: site?.trusted_proxy_fields ?? 'any',
      onIgnored: (message, peer) => this.#log.warn(message, { remote_address: peer.remoteAddress }),
    });
  }
}
