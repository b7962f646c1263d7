import { isAbsolute, join } from 'node:path/posix';
import type { ConfigBuilder } from '../config-builder.ts';
import type { ImportReport } from '../import-report.ts';
import { isMount, type WsgiContext } from '../wsgi-config-builder.ts';
import { isOn, type Option } from './option.ts';

const NAMES: ReadonlySet<string> = new Set([
  'module',
  'w',
  'wsgi',
  'wsgi-file',
  'file',
  'callable',
  'mount',
  'manage-script-name',
  'no-default-app',
]);

export function isTarget({ name }: Option): boolean {
  return NAMES.has(name);
}

/**
 * Writes the application to serve, and applications mounted below a prefix. All requests outside of the mounts go to
 * uWSGI's default application: the one that is not mounted, or else the first one that is mounted at a path.
 */
export function writeTarget(options: readonly Option[], context: WsgiContext): void {
  const { builder, report, pathOf } = context;
  const all = options.filter(isTarget);
  for (const option of all) report.took(option);
  const callable = all.findLast(({ name }) => name === 'callable');
  const named = all.findLast(({ name }) => ['module', 'w', 'wsgi', 'wsgi-file', 'file'].includes(name));
  const from = [named, callable].filter((option) => option !== undefined);
  const chdir = options.findLast(({ name }) => name === 'chdir')?.value ?? '';
  const inDirectory = (path: string) => pathOf(isAbsolute(path) ? path : join(chdir, path));
  if (named !== undefined) builder.set('target', targetOf(named.value, callable?.value, inDirectory), ...from);
  else if (callable !== undefined) report.lost(callable, 'there is no module for this callable');
  const mounts = all
    .filter(({ name }) => name === 'mount')
    .flatMap((option) => mountOf(option, callable, report, inDirectory));
  const managing = all.filter(({ name, value }) => name === 'manage-script-name' && isOn(value));
  for (const option of managing) report.needless(option, 'a mount is SCRIPT_NAME');
  if (mounts.length === 0) return;
  const hasDefault = !all.some(({ name, value }) => name === 'no-default-app' && isOn(value));
  const first = hasDefault && named === undefined ? mounts.find(({ host }) => host === '') : undefined;
  if (first !== undefined) builder.set('target', first.target, first.option);
  for (const mount of mounts) {
    if (mount.host === '' && mount.prefix === '') {
      if (mount !== first)
        report.lost(mount.option, `uWSGI sends requests outside of the mounts to ${builder.get('target') ?? 'no one'}`);
      continue;
    }
    writeMount(mount, mount === first, workersOf(options), context);
    explain(mount, managing.length > 0, context);
  }
  if (builder.get('target') === undefined)
    builder.append('route').table('respond').assume('status', 404, 'uWSGI has no application there');
}

/** What decides in uWSGI, if it is not the path. */
function explain({ option, host }: Mount, isByPath: boolean, { report }: WsgiContext): void {
  if (host !== '')
    report.differs(option, 'uWSGI chooses by UWSGI_APPID of the front-end proxy, and not by the host, as here');
  else if (!isByPath)
    report.differs(
      option,
      'without manage-script-name, uWSGI chooses by SCRIPT_NAME of the front-end proxy; here the path decides',
    );
}

/** What an application of `[apps]` may have. */
const WORKERS_MAX = 256;

/** The processes that all applications of uWSGI share; undefined for one. */
function workersOf(options: readonly Option[]): Option | undefined {
  const found = options.findLast(({ name }) => ['processes', 'workers', 'p'].includes(name));
  const count = Number(found?.value);
  return count > 1 && count <= WORKERS_MAX ? found : undefined;
}

/** `shop.wsgi:application`, or a file followed by the callable. */
function targetOf(written: string, callable: string | undefined, pathOf: (path: string) => string): string {
  const [, place = written, own] = /^(.+?):([\w.()]+)$/.exec(written) ?? [];
  const isFile = /\.py$|\.wsgi$|\//.test(place);
  const path = isFile ? pathOf(place) : place;
  return `${path}:${own ?? callable ?? 'application'}`;
}

/** An application that is mounted below a prefix, or for a host. */
interface Mount {
  readonly option: Option;
  /** Empty for all hosts. */
  readonly host: string;
  /** Without a slash at its end: empty for all paths. */
  readonly prefix: string;
  readonly target: string;
}

/** `mount = /prefix=MODULE`, `mount = shop.example.org=MODULE` or `mount = shop.example.org/prefix=MODULE`. */
function mountOf(
  option: Option,
  callable: Option | undefined,
  report: ImportReport,
  pathOf: (path: string) => string,
): Mount[] {
  const [, host = '', path = '', written = ''] = /^([\w.-]*)((?:\/[^=]*)?)=(.+)$/.exec(option.value) ?? [];
  const prefix = path.replace(/\/+$/, '');
  if (written === '' || (prefix !== '' && !isMount(prefix))) {
    report.lost(option, 'it is not /prefix=MODULE:CALLABLE');
    return [];
  }
  return [{ option, host, prefix, target: targetOf(written, callable?.value, pathOf) }];
}

/** Writes the route of a mount, and its application unless that `isDefault`. */
function writeMount(
  { option, host, prefix, target }: Mount,
  isDefault: boolean,
  workers: Option | undefined,
  { builder }: WsgiContext,
): void {
  const name = `${host}${prefix}`.replace(/^\//, '').replace(/[^A-Za-z0-9_-]+/g, '-') || 'app';
  if (!isDefault) {
    const app = builder.table('apps').table(name);
    app.set('target', target, option);
    if (workers !== undefined) app.set('workers', Number(workers.value), workers);
  }
  const route: ConfigBuilder = builder.append('route');
  if (host !== '') route.set('host', host, option);
  if (prefix !== '') route.set('mount', prefix, option);
  route.set('app', isDefault ? 'main' : name, option);
}
