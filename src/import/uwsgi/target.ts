import { isAbsolute, join } from 'node:path/posix';
import type { Draft } from '../config-builder.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { isOn, type Option } from './ini.ts';

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

/** Writes which application is served, and those that are mounted below a prefix. */
export function writeTarget(options: readonly Option[], context: WsgiContext): void {
  const { draft, ledger, pathOf } = context;
  const all = options.filter(isTarget);
  for (const option of all) ledger.took(option);
  const callable = all.findLast(({ name }) => name === 'callable');
  const named = all.findLast(({ name }) => ['module', 'w', 'wsgi', 'wsgi-file', 'file'].includes(name));
  const from = [named, callable].filter((option) => option !== undefined);
  const chdir = options.findLast(({ name }) => name === 'chdir')?.value ?? '';
  const inDirectory = (path: string) => pathOf(isAbsolute(path) ? path : join(chdir, path));
  if (named !== undefined) draft.set('target', targetOf(named.value, callable?.value, inDirectory), ...from);
  else if (callable !== undefined) ledger.lost(callable, 'there is no module for it');
  for (const option of all.filter(({ name }) => name === 'mount')) writeMount(option, callable, context);
  for (const option of all.filter(({ name, value }) => name === 'manage-script-name' && isOn(value)))
    ledger.needless(option, 'a mount is SCRIPT_NAME');
}

/** `shop.wsgi:application`, or a file with the callable behind it. */
function targetOf(written: string, callable: string | undefined, pathOf: (path: string) => string): string {
  const [, place = written, own] = /^(.+?):([\w.()]+)$/.exec(written) ?? [];
  const isFile = /\.py$|\.wsgi$|\//.test(place);
  const path = isFile ? pathOf(place) : place;
  return `${path}:${own ?? callable ?? 'application'}`;
}

function writeMount(option: Option, callable: Option | undefined, { draft, ledger, pathOf }: WsgiContext): void {
  const [, prefix = '', target = ''] = /^(\/[^=]*)=(.+)$/.exec(option.value) ?? [];
  const mount = prefix.replace(/\/+$/, '');
  if (target === '' || /[*?#%\s]/.test(mount)) {
    ledger.lost(option, 'it is not /prefix=MODULE:CALLABLE');
    return;
  }
  const where = targetOf(target, callable?.value, pathOf);
  if (mount === '') {
    draft.set('target', where, option);
    return;
  }
  const name = mount.slice(1).replace(/[^A-Za-z0-9_-]+/g, '-') || 'app';
  draft.table('apps').table(name).set('target', where, option);
  const route: Draft = draft.append('route');
  route.set('mount', mount, option);
  route.set('app', name, option);
}
