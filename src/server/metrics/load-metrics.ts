import { type Configuration, countsMetrics } from '../../site/configuration.ts';
import type { MeasuredServer, ServerMetrics } from './server-metrics.ts';

/** Makes the metrics of a server. */
export type Measure = (server: MeasuredServer) => ServerMetrics;

/** Loads the code for metrics, which most servers do not have; null if nobody can ask for them. */
export async function loadMetrics({ settings }: Configuration): Promise<Measure | null> {
  if (!countsMetrics(settings)) return null;
  const { ServerMetrics } = await import('./server-metrics.ts');
  return (server) => new ServerMetrics(server);
}
