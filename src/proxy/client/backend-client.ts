import type { HandlerResult } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { BackendExchange } from '../../upstream/exchange/backend-exchange.ts';
import type { Dialect } from '../../upstream/exchange/dialect.ts';
import type { Backend } from '../backend.ts';
import type { Clock } from '../tick-clock.ts';
import type { BackendProtocol, ProtocolOwner, Upstream } from '../upstream.ts';
import { ConnectionPool, type ConnectionPoolOptions } from './connection-pool.ts';

export interface ExchangeOptions extends ConnectionPoolOptions {
  readonly responseTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
}

/** Exchanges requests and responses with one backend, in its dialect. */
export class ExchangingBackend implements BackendProtocol {
  readonly backend: Backend;
  readonly pool: ConnectionPool;
  readonly dialect: Dialect;
  readonly owner: ProtocolOwner;
  /** Time-outs in ticks of the clock. */
  readonly responseTicks: number;
  readonly idleTicks: number;
  readonly connectTicks: number;
  /** 0 when tunnels may be idle for ever. */
  readonly tunnelIdleTicks: number;

  constructor(backend: Backend, dialect: Dialect, clock: Clock, options: ExchangeOptions, owner: ProtocolOwner) {
    this.backend = backend;
    this.dialect = dialect;
    this.pool = new ConnectionPool(backend, dialect, clock, options, () => owner.freed());
    this.owner = owner;
    this.responseTicks = clock.ticks(options.responseTimeoutMs);
    this.idleTicks = clock.ticks(options.idleTimeoutMs);
    this.connectTicks = clock.ticks(options.connectTimeoutMs);
    this.tunnelIdleTicks = options.tunnelIdleTimeoutMs === 0 ? 0 : clock.ticks(options.tunnelIdleTimeoutMs);
  }

  get needsLength(): boolean {
    return this.dialect.needsLength;
  }

  get active(): number {
    return this.pool.active;
  }

  send(request: Request, tried: readonly Upstream[]): HandlerResult {
    const exchange = new BackendExchange(this, request, tried);
    exchange.begin();
    return exchange;
  }

  stop(): void {
    this.pool.stop();
  }

  destroy(): void {
    this.pool.destroy();
  }
}
