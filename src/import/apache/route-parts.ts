import type { ConfigBuilder } from '../config-builder.ts';
import { isFieldName, isFieldValue, isFraming } from '../nginx/forms.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import type { Guard } from './access.ts';
import type { Directive } from './tree.ts';

/** Writes who may come in. Returns whether anybody may. */
export function writeGuard(route: ConfigBuilder, guard: Guard, { report, pathOf }: WsgiContext): boolean {
  if (guard.kind === 'open') return true;
  for (const directive of guard.from) report.took(directive);
  const access = route.table('access');
  if (guard.kind !== 'rules') {
    access.set('deny', ['all'], ...guard.from);
    if (guard.kind === 'closed')
      for (const directive of guard.from) report.closed(directive, `nobody may come in: ${guard.reason}`);
    return false;
  }
  const { allow, deny, password, satisfy, from } = guard;
  if (allow.length > 0) access.set('allow', allow, ...from);
  if (deny.length > 0) access.set('deny', deny, ...from);
  if (password === null) return true;
  const auth = route.table('basic_auth');
  auth.set('file', pathOf(password.file), ...password.from);
  auth.set('realm', password.realm, ...password.from);
  const [file] = password.from.slice(-1);
  if (file !== undefined)
    report.differs(
      file,
      'hashes must be SHA-crypt, scrypt or PBKDF2: those of MD5 ($apr1$) need allow_md5, and {SHA} and bcrypt are refused',
    );
  if (satisfy === 'any') route.set('satisfy', 'any', ...from);
  return true;
}

/** Writes what `Header` and `RequestHeader` do. */
export function writeFields(route: ConfigBuilder, all: readonly Directive[], context: WsgiContext): void {
  const kinds = new Map<string, string>();
  for (const directive of all) {
    if (directive.name === 'header' || directive.name === 'requestheader') writeField(route, directive, kinds, context);
  }
}

/** `kinds` has what set each field: `Header unset` does not undo `Header always set`. */
function writeField(
  route: ConfigBuilder,
  directive: Directive,
  kinds: Map<string, string>,
  { report }: WsgiContext,
): void {
  const isRequest = directive.name === 'requestheader';
  const words = directive.args.filter((word, at) => at > 0 || !/^(?:always|onsuccess)$/i.test(word));
  const [verb = '', written = '', value = '', ...conditions] = words;
  const action = verb.toLowerCase();
  const name = written.replace(/:$/, '');
  const plain = value.replaceAll('%%', '%');
  const isPlain = isFieldName(name) && !isFraming(name) && isFieldValue(plain) && !/%\{|%[tDlbi]|[{}]/.test(plain);
  const key = { set: 'set', add: 'add', unset: 'remove', setifempty: 'default' }[action];
  if (!isPlain || key === undefined || conditions.length > 0 || (isRequest && key === 'default')) {
    if (isRequest && action === 'unset')
      report.danger(directive, 'clients could send this field: write it into headers.request.remove');
    else report.lost(directive, 'see headers');
    return;
  }
  report.took(directive);
  const headers = route.table('headers');
  const table = isRequest ? headers.table('request') : headers;
  const kind = `${directive.name} ${/^always$/i.test(directive.args[0] ?? '') ? 'always' : ''}`;
  const known = `${directive.name} ${name.toLowerCase()}`;
  if (key === 'remove') {
    table.push('remove', name, directive);
    if (kinds.get(known) === kind) for (const one of ['set', 'add', 'default']) table.table(one).values.delete(name);
    return;
  }
  kinds.set(known, kind);
  if (key === 'add') table.table('add').push(name, plain, directive);
  else table.table(key).set(name, plain, directive);
}

/** Writes the error documents that are paths of the site. */
export function writeErrorPages(route: ConfigBuilder, all: readonly Directive[], { report }: WsgiContext): void {
  for (const directive of all.filter(({ name }) => name === 'errordocument')) {
    const [status = '', target = ''] = directive.args;
    if (/^[45]\d\d$/.test(status) && /^\/[^\s?#{}]*$/.test(target)) {
      route.table('error_pages').table('routes').set(status, target, directive);
      report.took(directive);
    } else if (target.toLowerCase() !== 'default')
      report.lost(directive, 'write its text into a file, and the file into error_pages');
  }
}

/** Writes how files are served: names for directories, and whether directories are listed. */
export function writeFileOptions(route: ConfigBuilder, all: readonly Directive[], { report }: WsgiContext): void {
  const index = all.findLast(({ name }) => name === 'directoryindex');
  const options = all.filter(({ name }) => name === 'options');
  const table = route.table('static_options');
  if (index !== undefined) {
    const names = index.args.filter((one) => /^[\w.-]+$/.test(one));
    const isNone = index.args[0]?.toLowerCase() === 'disabled' || names.length === 0;
    table.set('index', isNone ? false : names, index);
    report.took(index);
  }
  const listing = options.findLast(
    ({ args }) =>
      args.some((one) => /^[+-]?(?:indexes|all|none)$/i.test(one)) || args.every((one) => !/^[+-]/.test(one)),
  );
  for (const option of options) report.took(option);
  if (listing?.args.some((one) => /^\+?(?:indexes|all)$/i.test(one))) table.set('listing', true, listing);
}
