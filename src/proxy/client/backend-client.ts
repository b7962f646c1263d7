import type { HandlerResult } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import type { Backend } from '../backend.ts';
import type { TickClock } from '../tick-clock.ts';
import type { Upstream, UpstreamClient, UpstreamClientOwner } from '../upstream.ts';
import { ConnectionPool, type ConnectionPoolOptions } from './connection-pool.ts';
import type { Transport } from './transport.ts';
import { UpstreamRequest } from './upstream-request.ts';
import type { UpstreamRequestContext } from './upstream-request-context.ts';

export interface BackendClientOptions extends ConnectionPoolOptions {
  readonly responseTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
}

/** Sends requests to one backend over its transport and receives the responses. */
export class BackendClient implements UpstreamClient, UpstreamRequestContext {
  readonly backend: Backend;
  readonly pool: ConnectionPool;
  readonly transport: Transport;
  readonly owner: UpstreamClientOwner;
  readonly mayRefuse = false;
  /** Timeouts in ticks of the clock. */
  readonly responseTicks: number;
  readonly idleTicks: number;
  readonly connectTicks: number;
  /** 0 for no idle timeout of tunnels. */
  readonly tunnelIdleTicks: number;

  constructor(
    backend: Backend,
    transport: Transport,
    clock: TickClock,
    options: BackendClientOptions,
    owner: UpstreamClientOwner,
  ) {
    this.backend = backend;
    this.transport = transport;
    this.pool = new ConnectionPool(backend, transport, clock, options, () => owner.freed());
    this.owner = owner;
    this.responseTicks = clock.ticks(options.responseTimeoutMs);
    this.idleTicks = clock.ticks(options.idleTimeoutMs);
    this.connectTicks = clock.ticks(options.connectTimeoutMs);
    this.tunnelIdleTicks = options.tunnelIdleTimeoutMs === 0 ? 0 : clock.ticks(options.tunnelIdleTimeoutMs);
  }

  get needsLength(): boolean {
    return this.transport.needsLength;
  }

  get active(): number {
    return this.pool.active;
  }

  requests(): Iterable<Request> {
    return this.pool.requests();
  }

  send(request: Request, tried: readonly Upstream[]): HandlerResult {
    const upstreamRequest = new UpstreamRequest(this, request, tried);
    upstreamRequest.start();
    return upstreamRequest;
  }

  stop(): void {
    this.pool.stop();
  }

  destroy(): void {
    this.pool.destroy();
  }
}
