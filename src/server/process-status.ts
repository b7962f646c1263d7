import type { OpenRequest } from '../http/transport/protocol-server.ts';
import { listBackends, type RouteBackends } from '../proxy/backend-control.ts';
import type { Applications } from '../site/applications.ts';
import type { BuiltSite } from '../site/build.ts';
import type { Listeners } from '../site/listeners.ts';
import type { CurrentSite } from './current-site.ts';
import { type LiveRequest, liveRequests } from './live-requests.ts';
import type { MeasuredServer } from './metrics/server-metrics.ts';
import type { ProtocolServers } from './protocol-servers.ts';
import { type ServerState, unreadyReasons } from './readiness.ts';
import { type ProcessReport, type WorkerStacks, workerStacks } from './status.ts';

export interface ProcessParts {
  readonly applications: Applications;
  readonly site: CurrentSite;
  readonly protocols: () => ProtocolServers;
  readonly listeners: () => Listeners;
  readonly warn: (text: string) => void;
}

/** What a server process does, and what load balancers, operators and metrics learn of it. */
export class ProcessStatus implements MeasuredServer {
  readonly #parts: ProcessParts;
  #state: ServerState = 'starting';
  #draining = false;

  /** The parts that are functions are called only when somebody asks. */
  constructor(parts: ProcessParts) {
    this.#parts = parts;
  }

  /** The process does something else now. One that stops does nothing else any more. */
  enter(state: ServerState): void {
    if (this.#state !== 'stopping') this.#state = state;
  }

  /** Whether an operator keeps new requests away. */
  drain(draining: boolean): void {
    this.#draining = draining;
  }

  /** Why this process should get no requests; empty if it should. */
  unready(): readonly string[] {
    const loads = this.applications().map(([, { load }]) => load);
    return unreadyReasons({ state: this.#state, draining: this.#draining, loads, routes: this.backends() });
  }

  report(): ProcessReport {
    const reasons = this.unready();
    return {
      process: {
        pid: process.pid,
        state: this.#draining && this.#state === 'serving' ? 'drained' : this.#state,
        ready: reasons.length === 0,
        reasons,
        connections: this.#parts.protocols().size,
        rss_bytes: process.memoryUsage.rss(),
        applications: this.applications().map(([name, application]) => application.status(name)),
      },
      certificates: this.#parts.listeners().certificates,
      backends: this.backends(),
    };
  }

  backends(): readonly RouteBackends[] {
    return listBackends(this.proxies());
  }

  /** The requests that are not answered completely, those first that came first. */
  requests(): readonly LiveRequest[] {
    return liveRequests(this.openRequests(), this.#parts.applications, this.proxies());
  }

  /** Where the threads are of the worker with this number or process id, or (null) of all workers. */
  stacks(worker: number | null): Promise<readonly WorkerStacks[]> {
    return workerStacks(this.#parts.applications, worker);
  }

  connectionsByProtocol(): ReturnType<MeasuredServer['connectionsByProtocol']> {
    return this.#parts.protocols().sizes;
  }

  openRequests(): Iterable<OpenRequest> {
    return this.#parts.protocols().requests();
  }

  applications(): ReturnType<MeasuredServer['applications']> {
    return this.#parts.applications.serving();
  }

  proxies(): BuiltSite['proxies'] {
    return this.#parts.site.proxies;
  }

  warn(text: string): void {
    this.#parts.warn(text);
  }
}
