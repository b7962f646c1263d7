import { environmentName } from '../../config/setting.ts';
import type { SettingName } from '../../config/settings.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { addressOf } from './addresses.ts';
import type { Assignment, PythonValue } from './read-python.ts';
import { GUNICORN } from './settings.ts';

/** Carries over one assignment of a configuration, or says in the report why not. */
export function carryAssignment(one: Assignment, context: WsgiContext): void {
  const { name, value } = one;
  const { report } = context;
  const rule = Object.hasOwn(GUNICORN, name) ? GUNICORN[name] : undefined;
  if (value.kind === 'function') report.lost(one, HOOKS.get(name) ?? 'functions are not read');
  // a variable of the file, which other lines use
  else if (rule === undefined && name !== '') report.took(one);
  else if (rule === undefined || value.kind === 'other')
    report.lost(one, 'only values that can be read without running the file are carried over');
  else if (value.kind === 'literal') rule(value.value, one, context);
  else if (value.kind === 'processors') carryProcessors(one, value.names, context);
  else {
    const start = startLine(name, value);
    const isOne = value.names.length === 1;
    const names = `the ${isOne ? 'variable' : 'variables'} ${value.names.join(', ')}`;
    if (value.value === null && name === 'bind' && /^(?:0\.0\.0\.0)?:?\$PORT$/.test(value.text ?? '')) {
      report.needless(one, 'without listen, Viaduct listens on 0.0.0.0:PORT');
      return;
    }
    if (value.value === null) {
      report.lost(one, start === '' ? `it depends on ${names}` : `it depends on ${names}: start Viaduct with ${start}`);
      return;
    }
    rule(value.value, one, context);
    const no = `this is the default value; ${names} no longer ${isOne ? 'changes' : 'change'} it`;
    report.differs(one, start === '' ? no : `${no}, unless Viaduct starts with ${start}`);
  }
}

function carryProcessors(one: Assignment, names: readonly string[], { report }: WsgiContext): void {
  if (one.name !== 'workers') report.lost(one, 'it is computed from the number of processors');
  else if (names.length === 0) report.needless(one, 'a worker for each processor core');
  else if (names.every((name) => name === 'WEB_CONCURRENCY'))
    report.needless(one, 'a worker for each processor core, or as many as WEB_CONCURRENCY says');
  else report.differs(one, `a worker for each processor core; ${names.join(', ')} no longer changes it`);
}

/** Settings that a variable of Viaduct can give, with what makes its value of gunicorn's. */
const FORMS: Readonly<Record<string, readonly [setting: SettingName, form: (text: string) => string]>> = {
  bind: ['listen', addressOf],
  workers: ['workers', String],
  threads: ['threads', String],
  max_requests: ['maxRequests', String],
  max_requests_jitter: ['maxRequestsJitter', String],
  timeout: ['requestTimeoutMs', inSeconds],
  graceful_timeout: ['gracefulTimeoutMs', inSeconds],
  keepalive: ['keepAliveTimeoutMs', inSeconds],
};

function inSeconds(text: string): string {
  return `${text.replace(/\$(\w+)/g, '$${$1}')}s`;
}

/** The variable with which Viaduct starts, so that those of gunicorn still decide; '' where a shell could not compute it. */
function startLine(name: string, { text }: Extract<PythonValue, { kind: 'environment' }>): string {
  const form = FORMS[name];
  if (form === undefined || text === null || /["'`\\\s]/.test(text)) return '';
  const [setting, written] = form;
  return `${environmentName(setting)}="${written(text)}"`;
}

const NO_HOOK = 'hooks run Python in gunicorn itself';

/** What the report says of each of gunicorn's hooks. Those with a counterpart take other arguments, so they are not carried over. */
export const HOOKS: ReadonlyMap<string, string> = new Map([
  ...counterparts('after_fork', 'post_fork', 'post_worker_init'),
  ...counterparts('before_exit', 'worker_exit'),
  ...counterparts('on_ready', 'when_ready'),
  ...counterparts('on_reload', 'on_reload'),
  ...['on_starting', 'pre_fork', 'worker_int', 'worker_abort', 'pre_exec', 'pre_request', 'post_request'].map(without),
  ...['child_exit', 'nworkers_changed', 'on_exit', 'ssl_context'].map(without),
  ...['on_dirty_starting', 'dirty_post_fork', 'dirty_worker_init', 'dirty_worker_exit'].map(without),
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
