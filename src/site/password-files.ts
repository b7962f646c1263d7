import { resolve } from 'node:path';
import type { Configuration } from './configuration.ts';

/** Absolute paths of the htpasswd files in `configuration`. They are read only together with the configuration. */
export function passwordFilesOf({ site, bases }: Configuration): string[] {
  if (site === null) return [];
  const everywhere = { base: bases.basic_auth ?? '', config: site.basic_auth };
  const routes = site.route.map((route) => ({ base: bases.route ?? '', config: route.basic_auth }));
  return [everywhere, ...routes].flatMap(({ base, config }) =>
    config?.file !== undefined ? [resolve(base, config.file)] : [],
  );
}
