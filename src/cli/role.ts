import type { LoadedSettings } from '../config/load.ts';
import type { RouteConfig, Site } from '../config/site/schema.ts';
import { BACKEND_MEANS } from '../config/value.ts';
import { ViaductError } from '../errors.ts';
import type { Finding } from '../project/project.ts';
import type { Command } from './arguments.ts';

/** What a server is: web server and application server, or one of them alone. */
export type Role = 'both' | 'app' | 'web';

export function roleOf(command: Command): Role {
  return command === 'app' || command === 'web' ? command : 'both';
}

/** Whether an application that nothing names is looked for: not by a web server, which has backends. */
export function searchesApplication(command: Command, { settings }: LoadedSettings): boolean {
  return roleOf(command) !== 'web' && (settings.proxy.length === 0 || roleOf(command) === 'app');
}

/**
 * What of the settings counts for a server of this role.
 *
 * @throws ViaductError `SETTINGS` for a backend that is none, `USAGE` for a web server that has an application, or nothing to serve.
 */
export async function forRole(
  role: Role,
  loaded: LoadedSettings,
): Promise<{ readonly loaded: LoadedSettings; readonly hints: readonly Finding[] }> {
  if (role === 'app') return forApplication(loaded);
  const { settings, origins } = loaded;
  if (role === 'web' && settings.target !== null) {
    throw new ViaductError('USAGE', `Cannot serve "${settings.target}": the web server alone runs no application`, {
      advice: 'Name the server that runs it with --proxy URL, or serve both with viaduct serve.',
    });
  }
  const site = settings.proxy.length === 0 ? loaded.site : await withBackends(loaded, origins.get('proxy') ?? '');
  if (role === 'web' && (site?.route.length ?? 0) === 0 && settings.static.length === 0) {
    throw new ViaductError('USAGE', 'Cannot serve: there is no route, no backend and no directory of files', {
      advice: 'Begin with --proxy http://127.0.0.1:9000, or write a [[route]] into viaduct.toml.',
    });
  }
  return { loaded: { ...loaded, site }, hints: [] };
}

/** Routes and what happens on the way are the web server's; whom to trust, and TLS, belong to connections. */
function forApplication(loaded: LoadedSettings): { loaded: LoadedSettings; hints: readonly Finding[] } {
  const { site, settings } = loaded;
  const unused = [...loaded.siteEntries.keys()].filter((key) => !CONNECTION_KEYS.has(key));
  const kept =
    site === null
      ? null
      : (Object.fromEntries(Object.entries(site).filter(([key]) => CONNECTION_KEYS.has(key))) as Site);
  const hints: Finding[] =
    unused.length === 0
      ? []
      : [{ level: 'hint', subject: 'settings', text: `the application server alone leaves out: ${unused.join(', ')}` }];
  return {
    loaded: {
      ...loaded,
      site: kept === null ? null : { ...kept, apps: {}, route: [], sendfile: site?.sendfile ?? [] },
      settings: { ...settings, static: [], proxy: [] },
    },
    hints,
  };
}

const CONNECTION_KEYS: ReadonlySet<string> = new Set(['tls', 'trusted_proxies', 'trusted_proxy_fields', 'sendfile']);

/** What no route takes goes to the backends that the settings name, unless it is one of the files that they name. */
async function withBackends({ site, settings }: LoadedSettings, origin: string): Promise<Site> {
  const { siteSchema } = await import('../config/site/schema.ts');
  const files = settings.static.map(({ urlPrefix, directories }) =>
    urlPrefix === '/'
      ? { name: 'files', static: directories, proxy: settings.proxy }
      : { name: 'files', mount: urlPrefix.slice(0, -1), static: directories },
  );
  const parsed = siteSchema.safeParse({ route: [...files, { name: 'proxy', proxy: settings.proxy }] });
  if (!parsed.success) {
    const index = Number(parsed.error.issues[0]?.path[3] ?? 0);
    throw new ViaductError('SETTINGS', `Cannot use ${origin} "${settings.proxy[index]}": it must be ${BACKEND_MEANS}`);
  }
  const { route } = parsed.data;
  return site === null ? parsed.data : { ...site, route: [...site.route, ...route.filter((own) => isFree(own, site))] };
}

/** A file's own routes go before what the command line says. */
function isFree({ mount }: RouteConfig, { route }: Site): boolean {
  return mount === undefined || !route.some((other) => other.mount === mount);
}
