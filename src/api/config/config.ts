import type { CommandSettings, ServerSettings } from './settings.ts';
import type { SiteConfig } from './site.ts';

/** What a server inside a program can be configured with: `createServer` and `serve` take it. */
export interface ServerConfig extends ServerSettings, SiteConfig {}

/** What `viaduct.config.ts` exports: everything that `viaduct.toml` can hold, with keys in camelCase. */
export interface Config extends ServerConfig, CommandSettings {}
