import type { HandlerResult } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import type { Backend } from '../backend.ts';
import type { Clock } from '../clock.ts';
import type { BackendProtocol, ProtocolOwner, Upstream } from '../protocol.ts';
import { ConnectionPool, type ConnectionPoolOptions } from './connection-pool.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { type RequestHeadOptions, RequestHeads } from './request-heads.ts';

export interface Http1Options extends ConnectionPoolOptions, Omit<RequestHeadOptions, 'closes'> {
  readonly responseTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
}

/** Speaks HTTP/1.1 with one backend. */
export class Http1Backend implements BackendProtocol {
  readonly backend: Backend;
  readonly pool: ConnectionPool;
  readonly heads: RequestHeads;
  readonly owner: ProtocolOwner;
  /** Time-outs in ticks of the clock. */
  readonly responseTicks: number;
  readonly idleTicks: number;
  readonly connectTicks: number;
  /** 0 when tunnels may be idle for ever. */
  readonly tunnelIdleTicks: number;

  constructor(backend: Backend, clock: Clock, options: Http1Options, owner: ProtocolOwner) {
    this.backend = backend;
    this.pool = new ConnectionPool(backend, clock, options, () => owner.freed());
    this.heads = new RequestHeads(backend, { ...options, closes: options.keepAliveMax === 0 });
    this.owner = owner;
    this.responseTicks = clock.ticks(options.responseTimeoutMs);
    this.idleTicks = clock.ticks(options.idleTimeoutMs);
    this.connectTicks = clock.ticks(options.connectTimeoutMs);
    this.tunnelIdleTicks = options.tunnelIdleTimeoutMs === 0 ? 0 : clock.ticks(options.tunnelIdleTimeoutMs);
  }

  get active(): number {
    return this.pool.active;
  }

  send(request: Request, tried: readonly Upstream[]): HandlerResult {
    const exchange = new Http1Exchange(this, request, tried);
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
