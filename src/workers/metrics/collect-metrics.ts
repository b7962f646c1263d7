import type { Release } from '../release.ts';
import type { ApplicationFamily, ApplicationMetrics } from './application-metrics.ts';
import { withCollected } from './collected.ts';

export interface MetricsOwner {
  readonly release: Release | null;
  readonly metrics: ApplicationMetrics;
}

/**
 * The metrics of an application: those in the files of its processes, and those for which code must run. The latter are asked of the oldest
 * worker; all workers are asked to call the functions of gauges. Never rejects.
 */
export async function collectMetrics({ release, metrics }: MetricsOwner): Promise<ApplicationFamily[]> {
  const wanted = release?.options.applicationMetrics === true ? release : null;
  const workers = [...(wanted?.workers.values() ?? [])].filter(({ state }) => state === 'ready');
  const [collected] = await Promise.all(workers.map((worker, index) => worker.collect(index === 0)));
  return withCollected(await metrics.read(), collected ?? []);
}
