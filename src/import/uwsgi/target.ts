import { isAbsolute, join } from 'node:path/posix';
import type { ConfigBuilder } from '../config-builder.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
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
]);

export function isTarget({ name }: Option): boolean {
  return NAMES.has(name);
}

/** Writes the application to serve, and applications mounted below a prefix. */
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
  const mounts = all.filter(({ name }) => name === 'mount');
  for (const option of mounts) writeMount(option, callable, context);
  const managing = all.filter(({ name, value }) => name === 'manage-script-name' && isOn(value));
  for (const option of managing) report.needless(option, 'a mount is SCRIPT_NAME');
  if (mounts.length > 0) closeRest(mounts, managing.length > 0, context);
}

/** What becomes of requests outside of the mounts, and of those whose front-end proxy chose the application. */
function closeRest(mounts: readonly Option[], isByPath: boolean, { builder, report }: WsgiContext): void {
  if (!isByPath)
    for (const option of mounts.filter(({ value }) => /^\/[^=]/.test(value)))
      report.differs(
        option,
        'without manage-script-name, uWSGI chooses by SCRIPT_NAME of the front-end proxy; here the path decides',
      );
  if (builder.get('target') !== undefined) return;
  const rest = builder.append('route');
  rest.table('respond').assume('status', 404, 'uWSGI has no application there');
}

/** `shop.wsgi:application`, or a file followed by the callable. */
function targetOf(written: string, callable: string | undefined, pathOf: (path: string) => string): string {
  const [, place = written, own] = /^(.+?):([\w.()]+)$/.exec(written) ?? [];
  const isFile = /\.py$|\.wsgi$|\//.test(place);
  const path = isFile ? pathOf(place) : place;
  return `${path}:${own ?? callable ?? 'application'}`;
}

/** `mount = /prefix=MODULE`, `mount = shop.example.org=MODULE` or `mount = shop.example.org/prefix=MODULE`. */
function writeMount(option: Option, callable: Option | undefined, { builder, report, pathOf }: WsgiContext): void {
  const [, host = '', prefix = '', target = ''] = /^([\w.-]*)((?:\/[^=]*)?)=(.+)$/.exec(option.value) ?? [];
  const mount = prefix.replace(/\/+$/, '');
  if (target === '' || /[*?#%\s]/.test(mount)) {
    report.lost(option, 'it is not /prefix=MODULE:CALLABLE');
    return;
  }
  const where = targetOf(target, callable?.value, pathOf);
  if (mount === '' && host === '') {
    builder.set('target', where, option);
    return;
  }
  const name = `${host}${mount}`.replace(/^\//, '').replace(/[^A-Za-z0-9_-]+/g, '-') || 'app';
  builder.table('apps').table(name).set('target', where, option);
  const route: ConfigBuilder = builder.append('route');
  if (host !== '') route.set('host', host, option);
  if (mount !== '') route.set('mount', mount, option);
  route.set('app', name, option);
}
