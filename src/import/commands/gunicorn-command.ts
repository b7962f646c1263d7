import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { splitWords } from '../../config/words.ts';
import { carryGunicorn } from '../gunicorn/import-gunicorn.ts';
import { type Assignment, readPython } from '../gunicorn/read-python.ts';
import { GUNICORN, mountBelow } from '../gunicorn/settings.ts';
import type { Statement } from '../import-report.ts';
import { readText } from '../read-text.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { optionsOf, type ServerCommand, type ServiceCommand } from './command-line.ts';

const SHORT: Readonly<Record<string, string>> = {
  b: 'bind',
  w: 'workers',
  k: 'worker-class',
  t: 'timeout',
  c: 'config',
  e: 'env',
  p: 'pid',
  u: 'user',
  g: 'group',
  m: 'umask',
  n: 'name',
  D: 'daemon',
  R: 'enable-stdio-inheritance',
};
/** Options without a value. */
const SWITCHES: ReadonlySet<string> = new Set(
  [
    'reload spew check-config print-config version preload no-sendfile reuse-port daemon initgroups capture-output',
    'log-syslog disable-redirect-access-to-syslog enable-stdio-inheritance enable-backlog-metric no-control-socket',
    'suppress-ragged-eofs do-handshake-on-connect proxy-protocol strip-header-spaces casefold-http-method',
    'permit-obsolete-folding permit-unconventional-http-method permit-unconventional-http-version',
  ].flatMap((names) => names.split(' ')),
);
/** Names of options whose setting has another name. */
const NAMES: Readonly<Record<string, string>> = {
  preload: 'preload_app',
  pid: 'pidfile',
  name: 'proc_name',
  'keep-alive': 'keepalive',
  'access-logfile': 'accesslog',
  'access-logformat': 'access_log_format',
  'error-logfile': 'errorlog',
  'log-file': 'errorlog',
  'log-level': 'loglevel',
  'log-config': 'logconfig',
  'log-config-json': 'logconfig_json',
  'log-syslog': 'syslog',
  'log-syslog-to': 'syslog_addr',
  'log-syslog-prefix': 'syslog_prefix',
  'log-syslog-facility': 'syslog_facility',
  'limit-request-field_size': 'limit_request_field_size',
  'reload-extra-file': 'reload_extra_files',
  'no-sendfile': 'sendfile',
  'no-control-socket': 'control_socket_disable',
  'proxy-allow-from': 'proxy_allow_ips',
  'uwsgi-allow-from': 'uwsgi_allow_ips',
  'paste-global': 'raw_paste_global_conf',
  paster: 'paste',
  'dirty-app': 'dirty_apps',
  env: 'raw_env',
};
const LISTS: ReadonlySet<string> = new Set([
  'bind',
  'raw_env',
  'reload_extra_files',
  'raw_paste_global_conf',
  'dirty_apps',
]);

/** Carries over a command line of gunicorn, with the file of `--config` and `GUNICORN_CMD_ARGS`, which it wins over. */
export function carryGunicornCommand(command: ServerCommand, service: ServiceCommand, context: WsgiContext): void {
  const { statement, args } = command;
  const { report } = context;
  const variable = service.environment.get('GUNICORN_CMD_ARGS');
  const fromVariable = variable === undefined ? [] : settingsOf(splitWords(variable.value) ?? [], variable.statement);
  const own = settingsOf(args, statement);
  const file = own.findLast(({ name }) => name === 'config') ?? fromVariable.findLast(({ name }) => name === 'config');
  const written = [...fromVariable, ...own].filter(({ name }) => name !== 'config');
  const known = written.filter(({ name }) => Object.hasOwn(GUNICORN, name));
  for (const one of written) if (!known.includes(one)) report.lost(one, 'gunicorn has no such option');
  carryGunicorn([...readConfig(file, service, context), ...known], context);
  const mount = service.environment.get('SCRIPT_NAME');
  const path = command.environment.get('SCRIPT_NAME') ?? mount?.value ?? '';
  mountBelow(path, mount?.statement ?? statement, context);
}

function readConfig(
  file: Assignment | undefined,
  { settings, base }: ServiceCommand,
  { report }: WsgiContext,
): Assignment[] {
  const written = file?.value.kind === 'literal' ? String(file.value.value).replace(/^file:/, '') : 'gunicorn.conf.py';
  const path = resolve(base, settings.get('directory')?.value ?? '.', written);
  if (existsSync(path)) return readPython(readText(path, written), written);
  if (file !== undefined) report.lost(file, `the file ${written} is not here, and was not read`);
  return [];
}

/** The settings that a command line gives, with the names of the settings. */
export function settingsOf(args: readonly string[], statement: Statement): Assignment[] {
  const { options, others } = optionsOf(withJoinedValue(args), SHORT, SWITCHES);
  const settings = new Map<string, unknown>();
  for (const [option, text] of options) {
    const name = NAMES[option] ?? option.replaceAll('-', '_');
    const value = text === 'true' && SWITCHES.has(option) ? true : /^\d+$/.test(text) ? Number(text) : text;
    settings.set(name, LISTS.has(name) ? [...((settings.get(name) as unknown[] | undefined) ?? []), text] : value);
  }
  const [target] = others;
  if (target !== undefined) settings.set('wsgi_app', target);
  return [...settings].map(([name, value]) => ({
    ...statement,
    text: name === 'wsgi_app' ? String(value) : `--${name.replaceAll('_', '-')} ${String(value)}`,
    name,
    value: pythonValueOf(value),
  }));
}

/** The only switch that may have a value. */
function withJoinedValue(args: readonly string[]): readonly string[] {
  const at = args.indexOf('--proxy-protocol');
  if (at < 0 || !/^(?:off|v1|v2|auto)$/.test(args[at + 1] ?? '')) return args;
  return [...args.slice(0, at), `--proxy-protocol=${args[at + 1]}`, ...args.slice(at + 2)];
}

/** A value with `$PORT` depends on a variable. */
function pythonValueOf(value: unknown): Assignment['value'] {
  const text = Array.isArray(value) ? value.join(',') : String(value);
  const names = [...text.matchAll(/\$\{?(\w+)(?:[:-][^}]*)?\}?/g)].map(([, name]) => name as string);
  if (names.length === 0) return { kind: 'literal', value };
  const defaults = [...text.matchAll(/\$\{?\w+(?::?-([^}]*))?\}?/g)].map(([, given]) => given);
  const plain = text.replace(/\$\{?(\w+)(?::?-[^}]*)?\}?/g, '$$$1');
  const isKnown = defaults.every((one) => one !== undefined);
  const filled = text.replace(/\$\{\w+:?-([^}]*)\}/g, '$1');
  const withDefaults = /^\d+$/.test(filled) ? Number(filled) : filled;
  return { kind: 'environment', names, value: isKnown ? withDefaults : null, text: plain };
}
