import type { Config } from './config.ts';

/**
 * Types the default export of `viaduct.config.ts`, so that an editor completes and checks it. Returns `config` unchanged. Viaduct validates the
 * configuration when it reads the file, as it does with `viaduct.toml`.
 *
 * Keys are those of `viaduct.toml` in camelCase: `header_timeout_ms` is `headerTimeoutMs`. Names that you choose, such as header names and names of
 * applications, are the same in both files. Relative paths start at the file.
 *
 * @example
 * ```ts
 * import { defineConfig } from 'viaduct/config';
 *
 * export default defineConfig({
 *   workers: 4,
 *   headerTimeoutMs: '10s',
 *   route: [{ path: '/assets/*', static: 'dist', staticOptions: { immutable: 'always' } }],
 * });
 * ```
 */
export function defineConfig(config: Config): Config {
  return config;
}
