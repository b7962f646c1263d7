import type { RouteBackends } from '../proxy/backend-control.ts';
import type { Load } from '../workers/application-server.ts';

/**
 * What a server process does:
 * - `starting`: no site answers yet
 * - `broken`: in development, the page with the error of the start answers everything
 * - `serving`
 * - `stopping`: it finishes its requests
 */
export type ServerState = 'starting' | 'broken' | 'serving' | 'stopping';

/** What decides whether a server process should get requests. */
export interface ReadinessParts {
  readonly state: ServerState;
  /** Whether an operator keeps new requests away. */
  readonly draining: boolean;
  /** The Python applications. */
  readonly loads: readonly Load[];
  readonly routes: readonly RouteBackends[];
}

const STATES: Readonly<Record<Exclude<ServerState, 'serving'>, string>> = {
  starting: 'the server is starting',
  broken: 'the application cannot be imported',
  stopping: 'the server is stopping',
};

/** Why a server process should get no requests; empty if it should. The reasons name nothing of the site: strangers may read them. */
export function unreadyReasons({ state, draining, loads, routes }: ReadinessParts): readonly string[] {
  const reasons: string[] = [];
  if (state !== 'serving') reasons.push(STATES[state]);
  if (draining) reasons.push('the server is drained');
  if (loads.some(({ workers }) => workers === 0)) reasons.push('an application has no worker');
  if (loads.some(({ waiting, waitingMax }) => waitingMax > 0 && waiting >= waitingMax)) reasons.push('a queue is full');
  if (routes.some(({ backends }) => !backends.some((backend) => backend.state === 'up')))
    reasons.push('a route has no backend that is up');
  return reasons;
}
