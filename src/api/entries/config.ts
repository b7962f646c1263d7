/**
 * `viaduct/config`: the type of `viaduct.config.ts`, and of every table in it.
 *
 * @module viaduct/config
 */
export type * from '../config/config.ts';
export { defineConfig } from '../config/define-config.ts';
export type * from '../config/handlers.ts';
export type * from '../config/proxy.ts';
export type * from '../config/route.ts';
export type * from '../config/settings.ts';
export type * from '../config/site.ts';
export type * from '../config/tls.ts';
export type * from '../config/values.ts';
