import type { Family } from '../../metrics/family.ts';
import { Histograms } from '../../metrics/histograms.ts';
import type { ReverseProxy } from '../../proxy/reverse-proxy.ts';

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Discovery may find new backends for ever. Further ones count together. */
const SERIES_MAX = 200;
const OTHER = 'other';

/** How long requests were at the backends of all routes, also of those that have left. */
export class BackendDurations {
  readonly #histograms = new Histograms({
    name: 'viaduct_backend_duration_seconds',
    help: 'Time from the choice of a backend until its response was complete, or until it failed. Health checks do not count.',
    unit: 'seconds',
    bounds: BOUNDS,
  });
  /** The series by route and backend. */
  readonly #series = new Map<string, Map<string, number>>();
  #size = 0;

  /** Measures the requests of these proxies from now on. */
  measure(proxies: ReadonlyMap<string, Pick<ReverseProxy, 'measure'>>): void {
    for (const [route, proxy] of proxies) {
      const series = this.#series.get(route) ?? new Map<string, number>();
      this.#series.set(route, series);
      proxy.measure((backend, ms) => {
        const index = series.get(backend) ?? this.#add(route, backend, series);
        this.#histograms.observe(index, ms / 1000);
      });
    }
  }

  #add(route: string, backend: string, series: Map<string, number>): number {
    if (this.#size >= SERIES_MAX && backend !== OTHER) {
      const other = series.get(OTHER) ?? this.#add(route, OTHER, series);
      series.set(backend, other);
      return other;
    }
    this.#size += 1;
    const index = this.#histograms.add({ http_route: route, backend });
    series.set(backend, index);
    return index;
  }

  family(): Family {
    return this.#histograms.family();
  }
}
