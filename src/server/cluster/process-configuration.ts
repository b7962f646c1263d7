import type { Configuration, NamedApplication } from '../../site/configuration.ts';

/** Settings for the whole server. Each server process gets its share of them. */
const SHARED = ['connectionsMax', 'queueMax', 'staticCacheBytesMax', 'contentMemoryBytesMax'] as const;

/** How many of `count` workers server process `index` (from 0) of `processes` has: at least one. */
export function workerShare(count: number, processes: number, index: number): number {
  return Math.max(1, Math.floor(count / processes) + (index < count % processes ? 1 : 0));
}

/**
 * The configuration of server process `index` (from 0). It gets its share of the workers, at least one, and of the limits that hold for all
 * processes together.
 */
export function processConfiguration(configuration: Configuration, index: number): Configuration {
  const { settings, applications } = configuration;
  const { processes, workers, workersMin } = settings;
  const shareOf = (count: number): number => workerShare(count, processes, index);
  const shares = SHARED.map((name) => [name, Math.ceil(settings[name] / processes)] as const);
  const minShareOf = (count: number): number => (count === 0 ? 0 : shareOf(count));
  const withShare = (application: NamedApplication) => ({
    ...application,
    workers: shareOf(application.workers),
    workersMin: minShareOf(application.workersMin),
  });
  return {
    ...configuration,
    settings: {
      ...settings,
      ...Object.fromEntries(shares),
      workers: shareOf(workers),
      workersMin: minShareOf(workersMin),
    },
    applications: Object.fromEntries(Object.entries(applications).map(([name, one]) => [name, withShare(one)])),
  };
}
