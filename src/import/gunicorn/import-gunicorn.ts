import { Draft } from '../config-builder.ts';
import { Ledger } from '../import-report.ts';
import type { Source } from '../source.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { type Assignment, readPython } from './read-python.ts';
import { GUNICORN } from './settings.ts';

/** Settings that others look at, so that they come first, or that look at others, so that they come last. */
const FIRST = ['wsgi_app', 'chdir', 'bind', 'user', 'ca_certs'];
const LAST = ['proxy_protocol'];

/** Makes settings of a `gunicorn.conf.py`, which is read and not run. */
export function importGunicorn({ text, shown, pathOf, output }: Source): { draft: Draft; ledger: Ledger } {
  const ledger = new Ledger();
  const draft = new Draft();
  const context: WsgiContext = { draft, ledger, pathOf, output };
  const all = readPython(text, shown);
  const last = new Map(all.map((one): [string, Assignment] => [one.name, one]));
  const rank = ({ name }: Assignment) => (FIRST.includes(name) ? FIRST.indexOf(name) : LAST.includes(name) ? 200 : 100);
  for (const one of [...all].sort((a, b) => rank(a) - rank(b))) {
    if (one.name !== '' && last.get(one.name) !== one) ledger.lost(one, 'it is assigned again below');
    else carry(one, context);
  }
  if (draft.get('workers') === undefined && !all.some(({ name }) => name === 'workers'))
    draft.assume('workers', 1, "gunicorn's default");
  if (!all.some(({ name }) => name === 'threads')) draft.assume('threads', 1, "gunicorn's default");
  if (draft.get('listen') === undefined) draft.assume('listen', ['127.0.0.1:8000'], "gunicorn's default");
  secure(draft);
  return { draft, ledger };
}

function carry(one: Assignment, context: WsgiContext): void {
  const { name, value } = one;
  const { ledger } = context;
  const rule = Object.hasOwn(GUNICORN, name) ? GUNICORN[name] : undefined;
  if (value.kind === 'function') ledger.lost(one, HOOKS.has(name) ? HOOK : 'functions are not read');
  else if (value.kind === 'other')
    ledger.lost(one, 'only values that can be read without running Python are carried over');
  // a variable of the file's own, which other lines use
  else if (rule === undefined) ledger.took(one);
  else if (value.kind === 'literal') rule(value.value, one, context);
  else if (value.kind === 'processors' && name === 'workers') ledger.needless(one, 'a worker for each processor core');
  else if (value.kind === 'processors') ledger.lost(one, 'it is reckoned with the number of processors');
  else if (value.value === null) ledger.lost(one, `it is what the variable ${value.name} says`);
  else {
    rule(value.value, one, context);
    ledger.differs(one, `it is the default; the variable ${value.name} no longer changes it`);
  }
}

const HOOK = 'hooks run Python in gunicorn itself';

const HOOKS: ReadonlySet<string> = new Set([
  ...[
    'on_starting',
    'on_reload',
    'when_ready',
    'pre_fork',
    'post_fork',
    'post_worker_init',
    'worker_int',
    'worker_abort',
  ],
  ...[
    'pre_exec',
    'pre_request',
    'post_request',
    'child_exit',
    'worker_exit',
    'nworkers_changed',
    'on_exit',
    'ssl_context',
  ],
]);

/** With a certificate all addresses speak https. */
function secure(draft: Draft): void {
  const listen = draft.values.get('listen');
  const certificate = draft.tables.get('tls')?.values.get('certificate');
  if (listen === undefined || certificate === undefined) return;
  const addresses = (listen.value as readonly string[]).map((one) => `https://${one}`);
  draft.set('listen', addresses, ...listen.from, ...certificate.from);
}
