import { ConfigBuilder } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import type { Source } from '../source.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { type Assignment, readPython } from './read-python.ts';
import { GUNICORN } from './settings.ts';

/** Settings that others depend on come first. Settings that depend on others come last. */
const FIRST = ['wsgi_app', 'chdir', 'bind', 'user', 'ca_certs'];
const LAST = ['proxy_protocol'];

/** Converts a `gunicorn.conf.py` to settings. The file is parsed, not run. */
export function importGunicorn({ text, shown, pathOf, output }: Source): {
  builder: ConfigBuilder;
  report: ImportReport;
} {
  const report = new ImportReport();
  const builder = new ConfigBuilder();
  const context: WsgiContext = { builder, report, pathOf, output };
  const all = readPython(text, shown);
  const last = new Map(all.map((one): [string, Assignment] => [one.name, one]));
  const rank = ({ name }: Assignment) => (FIRST.includes(name) ? FIRST.indexOf(name) : LAST.includes(name) ? 200 : 100);
  for (const one of [...all].sort((a, b) => rank(a) - rank(b))) {
    if (one.name !== '' && last.get(one.name) !== one) report.lost(one, 'a later line assigns it again');
    else carry(one, context);
  }
  if (builder.get('workers') === undefined && !all.some(({ name }) => name === 'workers'))
    builder.assume('workers', 1, "gunicorn's default");
  if (!all.some(({ name }) => name === 'threads')) builder.assume('threads', 1, "gunicorn's default");
  if (builder.get('listen') === undefined) builder.assume('listen', ['127.0.0.1:8000'], "gunicorn's default");
  secure(builder);
  return { builder, report };
}

function carry(one: Assignment, context: WsgiContext): void {
  const { name, value } = one;
  const { report } = context;
  const rule = Object.hasOwn(GUNICORN, name) ? GUNICORN[name] : undefined;
  if (value.kind === 'function') report.lost(one, HOOKS.get(name) ?? 'functions are not read');
  else if (value.kind === 'other')
    report.lost(one, 'only values that can be read without running the file are carried over');
  // a variable of the file, which other lines use
  else if (rule === undefined) report.took(one);
  else if (value.kind === 'literal') rule(value.value, one, context);
  else if (value.kind === 'processors' && name === 'workers') report.needless(one, 'a worker for each processor core');
  else if (value.kind === 'processors') report.lost(one, 'it is computed from the number of processors');
  else if (value.value === null) report.lost(one, `its value is the variable ${value.name}`);
  else {
    rule(value.value, one, context);
    report.differs(one, `this is the default value; the variable ${value.name} no longer changes it`);
  }
}

const NO_HOOK = 'hooks run Python in gunicorn itself';

/** What the report says of each of gunicorn's hooks. Those with a counterpart take other arguments, so they are not carried over. */
const HOOKS: ReadonlyMap<string, string> = new Map([
  ...counterparts('after_fork', 'post_fork', 'post_worker_init'),
  ...counterparts('before_exit', 'worker_exit'),
  ...counterparts('on_ready', 'when_ready'),
  ...counterparts('on_reload', 'on_reload'),
  ...['on_starting', 'pre_fork', 'worker_int', 'worker_abort', 'pre_exec', 'pre_request', 'post_request'].map(without),
  ...['child_exit', 'nworkers_changed', 'on_exit', 'ssl_context'].map(without),
]);

function counterparts(ours: string, ...names: string[]): [string, string][] {
  return names.map((name) => [
    name,
    `move the function into the application and name it in [hooks]: ${ours} = "MODULE:FUNCTION"; it is called without arguments`,
  ]);
}

function without(name: string): [string, string] {
  return [name, NO_HOOK];
}

/** With a certificate, all addresses use HTTPS. */
function secure(builder: ConfigBuilder): void {
  const listen = builder.values.get('listen');
  const certificate = builder.tables.get('tls')?.values.get('certificate');
  if (listen === undefined || certificate === undefined) return;
  const addresses = (listen.value as readonly string[]).map((one) => `https://${one}`);
  builder.set('listen', addresses, ...listen.from, ...certificate.from);
}
