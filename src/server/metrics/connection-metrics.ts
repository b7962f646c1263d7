import { Counters } from '../../metrics/counters.ts';
import type { Family } from '../../metrics/family.ts';

const TLS_FAILURE = 'TLS: ';

/** Counts connections, and what was refused before it was a request. The reasons are those in the log. */
export class ConnectionMetrics {
  readonly #accepted = new Counters({
    name: 'viaduct_connections_accepted',
    help: 'Connections of clients by their protocol. One over which HTTP/2 starts without TLS counts as http/1.1.',
    label: 'protocol',
    from: ['http/1.1', 'h2'],
  });
  readonly #refusedConnections = new Counters({
    name: 'viaduct_connections_refused',
    help: 'Connections that were closed at once.',
    label: 'reason',
    from: ['there are too many connections'],
  });
  readonly #refusedRequests = new Counters({
    name: 'viaduct_requests_refused',
    help: 'Requests that break a rule of HTTP or a limit.',
    label: 'reason',
    from: ['the request did not arrive in time'],
  });
  readonly #handshakes = new Counters({
    name: 'viaduct_tls_handshakes',
    help: 'Handshakes of TLS by their outcome.',
    label: 'outcome',
    from: ['success', 'failure'],
  });

  /** See `ConnectionAcceptorOptions.onServed`. */
  served(protocol: string, isSecure: boolean): void {
    this.#accepted.count(protocol);
    if (isSecure) this.#handshakes.count('success');
  }

  /** `reason` has no text of a client. */
  refused(what: 'request' | 'connection', reason: string): void {
    if (what === 'request') this.#refusedRequests.count(reason);
    else this.#refusedConnections.count(reason);
    if (reason.startsWith(TLS_FAILURE)) this.#handshakes.count('failure');
  }

  families(): Family[] {
    return [
      this.#accepted.family(),
      this.#refusedConnections.family(),
      this.#refusedRequests.family(),
      this.#handshakes.family(),
    ];
  }
}
