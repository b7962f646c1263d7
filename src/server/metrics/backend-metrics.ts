import type { Family } from '../../metrics/family.ts';
import type { RouteBackends } from '../../proxy/backend-control.ts';
import type { ReverseProxy } from '../../proxy/reverse-proxy.ts';
import { counter, gauge } from './gauges.ts';

/** The reverse proxies by the names of their routes. */
export type CountedProxies = ReadonlyMap<string, Pick<ReverseProxy, 'counts'>>;

/** The backends of all routes. */
export function backendFamilies(routes: readonly RouteBackends[], proxies: CountedProxies): Family[] {
  const backends = routes.flatMap(({ route, backends }) =>
    backends.map((status) => ({ labels: { http_route: route, backend: status.name }, status })),
  );
  const counts = [...proxies].flatMap(([route, proxy]) =>
    proxy.counts().map(({ name, requests, failures }) => ({
      labels: { http_route: route, backend: name },
      requests,
      failures,
    })),
  );
  return [
    gauge(
      {
        name: 'viaduct_backend_up',
        help: '1 if the backend gets requests of any client, in each server process.',
        combine: 'min',
      },
      backends.map(({ labels, status }) => [labels, status.state === 'up' ? 1 : 0]),
    ),
    gauge(
      { name: 'viaduct_backend_active_requests', help: 'Requests at the backend.' },
      backends.map(({ labels, status }) => [labels, status.active]),
    ),
    gauge(
      { name: 'viaduct_backend_queue_requests', help: 'Requests that wait until a backend has room.' },
      routes.map(({ route, waiting }) => [{ http_route: route }, waiting]),
    ),
    counter(
      { name: 'viaduct_backend_requests', help: 'Requests that were sent to the backend, without health checks.' },
      counts.map(({ labels, requests }) => [labels, requests]),
    ),
    counter(
      {
        name: 'viaduct_backend_failures',
        help: 'Requests that the backend failed, also if another one answered them.',
      },
      counts.map(({ labels, failures }) => [labels, failures]),
    ),
  ];
}
