import type { Log } from '../log/log.ts';
import type { Application } from '../wsgi/contract.ts';
import type { ServerConfig } from './config/config.ts';

/**
 * What a server is made of: the keys of `viaduct.toml` in camelCase, and applications of the program. `listen` is `'127.0.0.1:8000'` by default; port 0 is
 * any free port. `accessLog` is `'off'` by default. Relative paths start at the current directory.
 */
export interface CreateServerOptions extends ServerConfig {
  /** Directory or file of a Python project, or the application in it as `'module:callable'`. Nothing is searched without it. */
  readonly target?: ServerConfig['target'];
  /** Addresses to listen on, as in `viaduct.toml`. Default: `'127.0.0.1:8000'`. Sockets of systemd are for the command `viaduct` only. */
  readonly listen?: ServerConfig['listen'];
  /** Format of the access log on standard output: `'off'`, `'text'`, `'json'` or `'combined'`. Default: `'off'`. */
  readonly accessLog?: ServerConfig['accessLog'];
  /** Answers requests that no route takes. Without it, and without `target`, only routes answer. The server closes it when it stops. */
  readonly application?: Application | undefined;
  /** Applications that routes name with `app`. The server closes them when it stops. */
  readonly applications?: Readonly<Record<string, Application>> | undefined;
  /** Receives the server's log. By default errors and warnings go to standard error. */
  readonly log?: Log | undefined;
}
