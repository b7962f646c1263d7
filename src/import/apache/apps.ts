import { basename, dirname } from 'node:path/posix';
import type { SettingName } from '../../config/settings.ts';
import type { ConfigBuilder, Value } from '../config-builder.ts';
import { setDirectory, setSetting, type WsgiContext } from '../wsgi-config-builder.ts';
import { type Answer, mappingsOf } from './mapping.ts';
import { isBelow, trimmed } from './sections.ts';
import type { Directive } from './tree.ts';

type Application = Extract<Answer, { readonly kind: 'application' }>;

/** The applications of a configuration, by script and process group. */
export interface Apps {
  /** The name in `[apps]`, or `main` if there is one application alone. */
  readonly nameOf: (answer: Application) => string;
}

interface Daemon {
  readonly directive: Directive;
  readonly options: ReadonlyMap<string, string>;
}

/** Writes the applications. `scopes` are the directives of each server, with those of the main server behind them. */
export function writeApps(scopes: readonly (readonly Directive[])[], context: WsgiContext): Apps {
  const daemons = daemonsOf(scopes.flat());
  const found = new Map<string, { answer: Application; directive: Directive; scope: readonly Directive[] }>();
  for (const scope of scopes)
    for (const { answer, directive } of mappingsOf(scope))
      if (answer.kind === 'application' && !found.has(keyOf(answer)))
        found.set(keyOf(answer), { answer, directive, scope });
  const isAlone = found.size === 1;
  const names = new Map<string, string>();
  const shared = new Map<string, string[]>();
  for (const [key, { answer, directive, scope }] of found) {
    const name = isAlone ? 'main' : freeName(answer, new Set(names.values()));
    names.set(key, name);
    const daemon = daemons.get(answer.group ?? '') ?? null;
    const table = isAlone ? context.builder : context.builder.table('apps').table(name);
    writeApp(answer, directive, daemon, scope, table, isAlone, context);
    for (const [option, value] of daemon?.options ?? []) shared.set(option, [...(shared.get(option) ?? []), value]);
  }
  const used = [...new Set([...found.values()].flatMap(({ answer }) => daemons.get(answer.group ?? '') ?? []))];
  for (const daemon of used) writeShared(daemon, shared, found.size, context);
  tellUsers(used, found.size, context);
  for (const { directive } of daemons.values())
    if (!context.report.knows(directive)) context.report.lost(directive, 'no WSGIScriptAlias uses it');
  return { nameOf: (answer) => names.get(keyOf(answer)) ?? 'main' };
}

function keyOf({ script, group }: Application): string {
  return `${script}\n${group ?? ''}`;
}

function daemonsOf(all: readonly Directive[]): Map<string, Daemon> {
  const daemons = new Map<string, Daemon>();
  for (const directive of all.filter(({ name }) => name === 'wsgidaemonprocess')) {
    const [name = '', ...options] = directive.args;
    const pairs = options.map((option): [string, string] => [
      option.replace(/=.*/s, '').toLowerCase(),
      option.replace(/^[^=]*=?/, '').replace(/^(["'])(.*)\1$/, '$2'),
    ]);
    daemons.set(name, { directive, options: new Map(pairs) });
  }
  return daemons;
}

function freeName({ script, group }: Application, taken: ReadonlySet<string>): string {
  const stem = basename(script).replace(/\.\w+$/, '');
  const wanted = group ?? (/^(?:wsgi|app|application|main)$/.test(stem) ? basename(dirname(script)) : stem);
  const plain = wanted.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '') || 'app';
  let name = plain === 'main' ? 'main-app' : plain;
  for (let number = 2; taken.has(name); number += 1) name = `${plain}-${number}`;
  return name;
}

function writeApp(
  { script }: Application,
  directive: Directive,
  daemon: Daemon | null,
  scope: readonly Directive[],
  table: ConfigBuilder,
  isAlone: boolean,
  context: WsgiContext,
): void {
  const { report, pathOf } = context;
  const callable = scope.find(({ name }) => name === 'wsgicallableobject');
  const object = callable?.args[0] ?? 'application';
  const paths = (
    daemon?.options.get('python-path') ??
    scope.find(({ name }) => name === 'wsgipythonpath')?.args[0] ??
    ''
  ).split(':');
  const home = daemon?.options.get('home');
  const directory = trimmed(
    home ?? paths.find((path) => path !== '' && isBelow(script, trimmed(path))) ?? paths[0] ?? '',
  );
  const from = [directive, callable].filter((one) => one !== undefined);
  table.set('target', targetOf(script, directory, object, pathOf), ...from);
  if (daemon === null) return;
  if (directory !== '') setChdir(directory, daemon.directive, table, isAlone, context);
  const python = daemon.options.get('python-home') ?? scope.find(({ name }) => name === 'wsgipythonhome')?.args[0];
  if (python !== undefined) table.set('python', pathOf(python), daemon.directive);
  const more = paths.filter((path) => path !== '' && trimmed(path) !== directory && !/site-packages/.test(path));
  if (more.length > 0)
    context.builder.remarks.push(`in the environment: PYTHONPATH=${more.join(':').replace(/[^\x20-\x7e]/g, '?')}`);
  // mod_wsgi's defaults
  setCount(table, 'workers', daemon.options.get('processes') ?? '1', daemon.directive, context);
  setCount(table, 'threads', daemon.options.get('threads') ?? '15', daemon.directive, context);
  report.took(daemon.directive);
}

function setCount(
  table: ConfigBuilder,
  key: 'workers' | 'threads',
  written: string,
  from: Directive,
  { report }: WsgiContext,
): void {
  const count = Number(written);
  if (Number.isInteger(count) && count >= 1 && count <= (key === 'workers' ? 256 : 64)) table.set(key, count, from);
  else report.lost(from, `${key} cannot be ${written}`);
}

function setChdir(
  directory: string,
  from: Directive,
  table: ConfigBuilder,
  isAlone: boolean,
  context: WsgiContext,
): void {
  if (isAlone) setDirectory(directory, from, context);
  else table.set('chdir', context.pathOf(directory), from);
}

/** `shop.wsgi:application` for a script below the directory of the project, or else the path of the script. */
function targetOf(script: string, directory: string, object: string, pathOf: (path: string) => string): string {
  const below = directory !== '' && isBelow(script, directory) ? script.slice(directory.length + 1) : '';
  const isModule = /^(?:[A-Za-z_]\w*\/)*[A-Za-z_]\w*\.py$/.test(below);
  return `${isModule ? below.slice(0, -3).replaceAll('/', '.') : pathOf(script)}:${object}`;
}

const seconds = (value: string): Value => `${value}s`;

/** Options of `WSGIDaemonProcess` that are settings of the whole server. */
const SHARED: Readonly<Record<string, readonly [setting: SettingName, form: (value: string) => Value]>> = {
  user: ['user', String],
  group: ['group', String],
  'maximum-requests': ['maxRequests', Number],
  'restart-interval': ['maxLifetimeMs', seconds],
  'request-timeout': ['requestTimeoutMs', seconds],
  'interrupt-timeout': ['requestGraceMs', seconds],
  'deadlock-timeout': ['workerTimeoutMs', seconds],
  'startup-timeout': ['startTimeoutMs', seconds],
  'shutdown-timeout': ['gracefulTimeoutMs', seconds],
  'queue-timeout': ['queueWaitMaxMs', seconds],
  'socket-timeout': ['bodyTimeoutMs', seconds],
};
const OWN = /^(?:processes|threads|python-home|python-path|home)$/;
const NEEDLESS =
  /^(?:display-name|(?:listen|connect|eviction|graceful)-\w+|(?:receive|send|header)-buffer-size|server-metrics|response-\w+-?\w*|inactivity-timeout|supplementary-groups|switch-interval|lang|locale)$/;

/** Writes what all applications share. Where they differ, nothing is written. */
function writeShared(
  { directive, options }: Daemon,
  values: ReadonlyMap<string, readonly string[]>,
  count: number,
  context: WsgiContext,
): void {
  for (const [option, value] of options) {
    const shared = SHARED[option];
    const all = values.get(option) ?? [];
    const isSame = all.length === count && new Set(all).size === 1;
    if (OWN.test(option)) continue;
    if (shared === undefined) {
      if (!NEEDLESS.test(option)) context.report.lost(directive, `${option} has no counterpart`);
    } else if (option === 'user' && !isSame) continue;
    else if (!isSame) context.report.lost(directive, `${option} differs, and Viaduct has one for all applications`);
    else {
      setSetting(shared[0], shared[1](value), directive, context);
      if (count > 1 && option !== 'user' && option !== 'group')
        context.report.differs(directive, `${option} counts for all applications`);
    }
  }
}

/** Applications of different users would see each other's files and memory. */
function tellUsers(daemons: readonly Daemon[], count: number, { report, builder }: WsgiContext): void {
  const users = daemons.map(({ options }) => options.get('user'));
  if (users.every((user) => user === undefined) || (users.length === count && new Set(users).size === 1)) return;
  builder.values.delete('user');
  const reason = 'all applications would run as one user: run a server for each, behind one web server';
  for (const { directive, options } of daemons) if (options.has('user')) report.danger(directive, reason);
}
