import type { ConfigBuilder } from '../config-builder.ts';

/** Makes a route answer 404, as its answer has no counterpart. */
export function notFound(route: ConfigBuilder): void {
  route.table('respond').assume('status', 404, 'no answer is known');
}
