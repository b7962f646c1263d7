import type { RouteConfig } from './schema/site.ts';

/** The name of a route in messages, logs and metrics. `index` is its position in the configuration, from 0. */
export function routeName({ name }: Pick<RouteConfig, 'name'>, index: number): string {
  return name ?? `route ${index + 1}`;
}
