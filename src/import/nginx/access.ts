import type { ConfigBuilder } from '../config-builder.ts';
import { isFieldName, rangeOf } from './forms.ts';
import { locationAt } from './location-at.ts';
import { textOf } from './model/bytes.ts';
import { constantOf, type Template } from './model/template.ts';
import { readPasswordFile } from './password-file.ts';
import { fill, type Values } from './placeholders.ts';
import { type RouteSink, type StepState, valuesAt } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Closes a route whose access rule has no counterpart, so that nobody gets in who did not before. */
function close(route: ConfigBuilder): void {
  route.table('access').values.clear();
  route.table('access').assume('deny', ['all'], 'an access rule here could not be carried over');
}

/** nginx applies the first matching line. In Viaduct `deny` wins over `allow`. */
export function writeAccess(route: ConfigBuilder, { level }: StepState, { context: { report } }: RouteSink): void {
  const all = level.settings.access.map(({ statement }) => statement as Directive);
  for (const directive of all) report.took(directive);
  const access = route.table('access');
  const last = all.findIndex(({ args }) => args[0] === 'all');
  const looked = last < 0 ? all : all.slice(0, last);
  const isClosed = last >= 0 && all[last]?.name === 'deny';
  let hasAllowed = false;
  for (const directive of looked) {
    const address = rangeOf(directive, report);
    if (address === null) {
      if (directive.name === 'deny') close(route);
      continue;
    }
    if (directive.name === 'deny' && hasAllowed) {
      report.differs(directive, 'deny wins over allow here: check whether one range contains the other');
    }
    if (directive.name === 'deny') access.push('deny', address, directive);
    else {
      hasAllowed = true;
      if (isClosed) access.push('allow', address, directive);
    }
  }
  if (isClosed && !hasAllowed) access.push('deny', 'all', ...all.slice(last, last + 1));
}

/** Guards of other modules: programs that may refuse, and ways to log in. */
const GUARDS =
  /^(?:access|rewrite|server_rewrite)_by_lua(?:_block|_file)?$|^js_access$|^auth_(?!basic$|request$|delay$)[a-z]+$/;

/** Closes a route with a guard of another module, such as Lua or `auth_ldap`. */
export function closeUnknownGuards(route: ConfigBuilder, { level }: StepState, { context }: RouteSink): void {
  const guards = new Map(
    level.settings.opaque.filter(({ name }) => GUARDS.test(name)).map((one) => [one.name, one as Directive]),
  );
  for (const directive of [...guards.values()].filter(({ args }) => args[0] !== 'off')) {
    context.report.closed(
      directive,
      'nobody may come in, because Viaduct cannot run this check: see forward_auth and middleware',
    );
    close(route);
  }
}

export function writeBasicAuth(route: ConfigBuilder, { level }: StepState, { context }: RouteSink): void {
  const { report, scopeOf, pathOf } = context;
  const { realm } = level.settings;
  const directive = scopeOf(level).one('auth_basic');
  const file = scopeOf(level).one('auth_basic_user_file');
  if (realm === null || directive === null) return;
  const text = constantOf(realm);
  if (file === null || text === null || file.args[0]?.includes('$')) {
    report.closed(directive, 'nobody may come in: it needs a realm and a file of users without variables');
    close(route);
    return;
  }
  const auth = route.table('basic_auth');
  auth.set('file', pathOf(file.args[0] ?? ''), file);
  auth.set('realm', textOf(text), directive);
  const passwords = readPasswordFile(file.args[0] ?? '', context.directory);
  if (passwords === null)
    report.differs(
      file,
      'hashes must be SHA-crypt, scrypt or PBKDF2: {SHA} and bcrypt are refused, and MD5 ($apr1$) without allow_md5 = true',
    );
  else if (passwords.refused.length > 0)
    report.differs(
      file,
      `Viaduct refuses this file: the passwords of ${namesOf(passwords.refused)} need other hashes; "viaduct hash-password" or "htpasswd -5" makes them`,
    );
  if (passwords === null || passwords.md5 === 0) return;
  auth.set('allow_md5', true, file);
  report.danger(
    file,
    `${passwords.md5} of ${passwords.users} passwords are hashed with MD5, which a thief of the file guesses fast: replace them with "htpasswd -5" or "viaduct hash-password", or accept allow_md5`,
  );
}

const NAMES_MAX = 3;

/** The first names, and how many more. */
function namesOf(users: readonly string[]): string {
  const shown = users.slice(0, NAMES_MAX).join(', ');
  return users.length > NAMES_MAX ? `${shown} and ${users.length - NAMES_MAX} more` : shown;
}

export function writeForwardAuth(route: ConfigBuilder, state: StepState, writer: RouteSink): void {
  const { level } = state;
  const { report, scopeOf } = writer.context;
  const scope = scopeOf(level);
  const directive = scope.one('auth_request');
  const path = level.settings.authRequest;
  if (path === null || directive === null) return;
  const handler = locationAt(writer.server, path)?.handler;
  const filled =
    handler?.kind === 'backend' && handler.module === 'proxy'
      ? fill(handler.url, valuesInside(path, state, writer))
      : { unknown: '' };
  const target = 'text' in filled ? filled.text : '';
  const url = /^https?:\/\/[^/]+$/.test(target) ? `${target}${path}` : target;
  if (!/^https?:\/\/(?!unix:)[\w.:[\]-]+\/[^\s$]*$/.test(url)) {
    report.closed(
      directive,
      'nobody may come in, because the location that it names passes on to no URL with a path: see forward_auth',
    );
    close(route);
    return;
  }
  const auth = route.table('forward_auth');
  auth.set('url', withRawQuery(url), directive);
  const fields = level.settings.sent.proxy;
  for (const one of scope.take('auth_request_set')) {
    const [variable = '', value = ''] = one.args;
    const answer = /^\$upstream_http_(\w+)$/.exec(value)?.[1]?.replaceAll('_', '-');
    const names = fields
      .filter(
        ({ value: [part, ...others] }) =>
          part?.kind === 'variable' && `$${part.name}` === variable && others.length === 0,
      )
      .map(({ name }) => name);
    if (answer === undefined || names.length === 0)
      report.lost(one, 'only a field of the answer for a field of the request has a counterpart');
    for (const name of names)
      if (answer !== undefined && isFieldName(name)) auth.table('copy_headers').set(name, answer, one);
  }
}

/** nginx writes `$request_uri` as it is, also behind a question mark. */
function withRawQuery(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? url : url.slice(0, at) + url.slice(at).replace(/(?<!\{)\{uri\}/g, '{uri.raw}');
}

/** What variables stand for in a subrequest: it has a path of its own, and no query. */
function valuesInside(path: string, state: StepState, writer: RouteSink): Values {
  const own: readonly [string, Template][] = [
    ...['uri', 'document_uri'].map((name): [string, Template] => [name, [{ kind: 'text', text: path }]]),
    ...['args', 'query_string', 'is_args'].map((name): [string, Template] => [name, []]),
  ];
  return { ...valuesAt(state, writer), assigned: new Map([...state.assigned, ...own]) };
}

/** `satisfy any`: one of the rules is enough. */
export function writeSatisfy(route: ConfigBuilder, { level }: StepState, { context }: RouteSink): void {
  const rules = ['access', 'basic_auth', 'forward_auth'].filter((key) => route.tables.get(key)?.isEmpty === false);
  const directive = context.scopeOf(level).one('satisfy');
  if (directive !== null && level.settings.satisfy === 'any' && rules.length > 1)
    route.set('satisfy', 'any', directive);
}
