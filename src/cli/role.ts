import { BACKEND_MEANS } from '../config/value.ts';
import { ViaductError } from '../errors.ts';
import type { Finding } from '../project/project.ts';
import type { LoadedConfiguration } from '../site/load-configuration.ts';
import type { RouteConfig, Site } from '../site/schema/site.ts';
import type { Command } from './command-names.ts';

/** The part that a server plays: web server and application server, or one of them alone. */
export type Role = 'both' | 'app' | 'web';

export function roleOf(command: Command): Role {
  return command === 'app' || command === 'web' ? command : 'both';
}

/** Whether to look for an application that is not named. A web server alone has backends and does not look for one. */
export function searchesApplication(command: Command, { settings }: LoadedConfiguration): boolean {
  return roleOf(command) !== 'web' && (settings.proxy.length === 0 || roleOf(command) === 'app');
}

/**
 * The settings that apply to a server with this role.
 *
 * @throws ViaductError `SETTINGS` for an invalid backend, `USAGE` for a web server with an application, or with nothing to serve.
 */
export async function forRole(
  role: Role,
  loaded: LoadedConfiguration,
): Promise<{ readonly loaded: LoadedConfiguration; readonly hints: readonly Finding[] }> {
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
      advice: 'Add --proxy http://127.0.0.1:9000, or write a [[route]] into viaduct.toml.',
    });
  }
  if (role === 'both' || site === null) return { loaded: { ...loaded, site }, hints: [] };
  const hints = site.process.length + site.schedule.length === 0 ? [] : [UNUSED_BESIDE];
  return { loaded: { ...loaded, site: { ...site, process: [], schedule: [] } }, hints };
}

/** Keeps TLS and trusted proxies, which belong to connections, and hooks. Routes and handlers belong to the web server. */
function forApplication(loaded: LoadedConfiguration): { loaded: LoadedConfiguration; hints: readonly Finding[] } {
  const { site, settings } = loaded;
  const unused = [...loaded.siteEntries]
    .filter(([key]) => !KEPT_KEYS.has(key))
    .map(([key, { location }]) => String(location.spell([key])[0]));
  const kept =
    site === null ? null : (Object.fromEntries(Object.entries(site).filter(([key]) => KEPT_KEYS.has(key))) as Site);
  const hints: Finding[] =
    unused.length === 0
      ? []
      : [{ level: 'hint', subject: 'settings', text: `the application server alone ignores: ${unused.join(', ')}` }];
  return {
    loaded: {
      ...loaded,
      site: kept === null ? null : { ...kept, apps: {}, route: [], sendfile: site?.sendfile ?? [] },
      settings: { ...settings, static: [], proxy: [] },
    },
    hints,
  };
}

const UNUSED_BESIDE: Finding = {
  level: 'hint',
  subject: 'settings',
  text: 'the web server alone ignores: process, schedule',
};

const KEPT_KEYS: ReadonlySet<string> = new Set([
  'hooks',
  'map',
  'process',
  'schedule',
  'reload',
  'tls',
  'trusted_proxy_values',
  'trusted_proxy_fields',
  'sendfile',
]);

/** Adds routes for `proxy` and `static` of the settings, behind the routes of the file. */
async function withBackends({ site, settings }: LoadedConfiguration, origin: string): Promise<Site> {
  const { parseSite } = await import('../site/schema/site.ts');
  const files = settings.static.map(({ urlPrefix, directories }) =>
    urlPrefix === '/'
      ? { name: 'files', static: directories, proxy: settings.proxy }
      : { name: 'files', mount: urlPrefix.slice(0, -1), static: directories },
  );
  const parsed = parseSite({ route: [...files, { name: 'proxy', proxy: settings.proxy }] });
  if (!parsed.success) {
    const index = Number(parsed.error.issues[0]?.path[3] ?? 0);
    throw new ViaductError('SETTINGS', `Cannot use ${origin} "${settings.proxy[index]}": it must be ${BACKEND_MEANS}`);
  }
  const { route } = parsed.data;
  return site === null
    ? parsed.data
    : { ...site, route: [...site.route, ...route.filter((added) => isFree(added, site))] };
}

/** Whether no route of the file has this mount. The routes of a file win over the command line. */
function isFree({ mount }: RouteConfig, { route }: Site): boolean {
  return mount === undefined || !route.some((other) => other.mount === mount);
}
