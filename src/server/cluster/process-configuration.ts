import type { Configuration, NamedApplication } from '../../site/configuration.ts';

/** Settings that hold for the whole server, and of which each front gets its part. */
const SHARED = ['connectionsMax', 'queueMax', 'staticCacheBytesMax'] as const;

/**
 * The configuration of front `index` (from 0): its share of the workers, one at least, and of the limits that count for all fronts together.
 */
export function frontConfiguration(configuration: Configuration, index: number): Configuration {
  const { settings, applications } = configuration;
  const { fronts, workers } = settings;
  const shareOf = (count: number): number => Math.max(1, Math.floor(count / fronts) + (index < count % fronts ? 1 : 0));
  const shares = SHARED.map((name) => [name, Math.ceil(settings[name] / fronts)] as const);
  const withShare = (application: NamedApplication) => ({ ...application, workers: shareOf(application.workers) });
  return {
    ...configuration,
    settings: { ...settings, ...Object.fromEntries(shares), workers: shareOf(workers) },
    applications: Object.fromEntries(Object.entries(applications).map(([name, one]) => [name, withShare(one)])),
  };
}
