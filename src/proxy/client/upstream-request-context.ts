import type { BackendRequestContext } from './backend-request.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { Transport } from './transport.ts';
import type { TunnelTimes } from './tunnel.ts';

/** What all requests to one backend share. */
export interface UpstreamRequestContext extends BackendRequestContext, TunnelTimes {
  readonly pool: ConnectionPool;
  readonly transport: Transport;
}
