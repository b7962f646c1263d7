import type { ConfigBuilder } from '../config-builder.ts';
import type { NginxContext, Server } from './context.ts';
import { writeFieldsOfResponses } from './fields.ts';
import { fileOf } from './files.ts';
import { rangeOf } from './forms.ts';
import { writeRateLimit, writeRequestLimit } from './limits.ts';
import type { Scope } from './scope.ts';
import { hasVariables } from './template.ts';
import { readSize, showSize } from './values.ts';

/** Carries over one group of directives as a handler of a route. */
type Write = (route: ConfigBuilder, scope: Scope, server: Server, context: NginxContext) => void;

interface Rule {
  readonly write: Write;
  /** nginx answers with `return` before it applies these directives. */
  readonly isPassedByReturn?: true;
}

/** Handlers of routes, by the first directive of each group. */
const RULES: Readonly<Record<string, Rule>> = {
  client_max_body_size: { write: writeBodySize },
  gzip: { write: writeCompression },
  add_header: { write: writeFieldsOfResponses },
  allow: { write: writeAccess, isPassedByReturn: true },
  auth_basic: { write: writeBasicAuth, isPassedByReturn: true },
  auth_request: { write: writeForwardAuth, isPassedByReturn: true },
  limit_req: { write: writeRateLimit, isPassedByReturn: true },
  limit_conn: { write: writeRequestLimit, isPassedByReturn: true },
  error_page: { write: writeErrorPages },
  satisfy: { write: checkSatisfy },
};

export function writeFeatures(
  route: ConfigBuilder,
  scope: Scope,
  server: Server,
  context: NginxContext,
  answer: 'return' | 'content',
): void {
  for (const { write, isPassedByReturn } of Object.values(RULES)) {
    if (answer === 'content' || isPassedByReturn !== true) write(route, scope, server, context);
  }
}

/** Closes a route whose access rule has no counterpart, so that nobody gets in who did not before. */
function close(route: ConfigBuilder): void {
  route.table('access').values.clear();
  route.table('access').assume('deny', ['all'], 'an access rule here could not be carried over');
}

const BODY_BYTES_MAX = 1024 ** 4;

/** In nginx 0 means no limit. In Viaduct 0 means no content. */
function writeBodySize(route: ConfigBuilder, scope: Scope): void {
  const directive = scope.one('client_max_body_size');
  if (directive === null) {
    route.assume('body_bytes_max', '1MiB', "nginx's default");
    return;
  }
  const size = readSize(directive.args[0] ?? '');
  if (size !== null)
    route.set('body_bytes_max', showSize(size === 0 ? BODY_BYTES_MAX : Math.min(size, BODY_BYTES_MAX)), directive);
}

function writeCompression(route: ConfigBuilder, scope: Scope, _server: Server, { report }: NginxContext): void {
  const kinds = [
    { on: scope.isOn('brotli'), coding: 'br', prefix: 'brotli' },
    { on: scope.isOn('gzip'), coding: 'gzip', prefix: 'gzip' },
  ].filter(({ on }) => on !== null);
  const [first] = kinds;
  for (const name of ['gzip', 'brotli']) scope.one(name);
  if (first === undefined) return;
  const compression = route.table('compression');
  for (const { on, coding } of kinds) compression.push('encodings', coding, ...(on === null ? [] : [on]));
  const types = scope.one(`${first.prefix}_types`);
  if (types === null) compression.assume('types', ['text/html'], "nginx's default");
  else {
    const all = types.args.includes('*') ? ['*/*'] : [...new Set(['text/html', ...types.args])];
    const good = all.filter((type) => /^[\w*.+-]+\/[\w*.+-]+$/.test(type));
    if (good.length < all.length) report.differs(types, 'values that are not media types are ignored');
    compression.set('types', good, types);
  }
  const least = scope.one(`${first.prefix}_min_length`);
  const bytes = readSize(least?.args[0] ?? '');
  if (least !== null && bytes !== null) compression.set('bytes_min', bytes, least);
  else compression.assume('bytes_min', 20, "nginx's default");
}

/** nginx applies the first matching line. In Viaduct `deny` wins over `allow`. */
function writeAccess(route: ConfigBuilder, scope: Scope, _server: Server, { report }: NginxContext): void {
  const all = scope.take('allow', 'deny');
  const access = route.table('access');
  const isClosed = all.at(-1)?.name === 'deny' && all.at(-1)?.args[0] === 'all';
  const last = all.findIndex(({ args }) => args[0] === 'all');
  const looked = last < 0 ? all : all.slice(0, last);
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
  if (isClosed && !hasAllowed) access.push('deny', 'all', ...all.slice(-1));
}

function writeBasicAuth(route: ConfigBuilder, scope: Scope, _server: Server, { report, pathOf }: NginxContext): void {
  const directive = scope.one('auth_basic');
  const file = scope.one('auth_basic_user_file');
  const [realm = 'off'] = directive?.args ?? [];
  if (directive === null || realm === 'off') return;
  if (file === null || hasVariables(file.args[0] ?? '') || hasVariables(realm)) {
    report.lost(directive, 'it needs a realm and a file of users without variables; the route is closed');
    close(route);
    return;
  }
  const auth = route.table('basic_auth');
  auth.set('file', pathOf(file.args[0] ?? ''), file);
  auth.set('realm', realm, directive);
  report.differs(
    file,
    'hashes must be SHA-crypt, scrypt or PBKDF2: those of MD5 ($apr1$), {SHA} and bcrypt are refused',
  );
}

function writeForwardAuth(route: ConfigBuilder, scope: Scope, server: Server, { report }: NginxContext): void {
  const directive = scope.one('auth_request');
  const [path = 'off'] = directive?.args ?? [];
  if (directive === null || path === 'off') return;
  const location = server.locations.find((one) => one.path === path && (one.kind === 'exact' || one.kind === 'prefix'));
  const url = location?.scope.own('proxy_pass')[0]?.args[0] ?? '';
  if (!/^https?:\/\/[\w.:[\]-]+\/[^\s$]*$/.test(url)) {
    report.lost(
      directive,
      'the location that it names passes on to no URL with a path; nobody is let in, see forward_auth',
    );
    close(route);
    return;
  }
  route.table('forward_auth').set('url', url, directive);
  if (scope.take('auth_request_set').length > 0)
    for (const one of scope.take('auth_request_set')) report.lost(one, 'see copy_headers of forward_auth');
}

function writeErrorPages(route: ConfigBuilder, scope: Scope, server: Server, context: NginxContext): void {
  const pages = route.table('error_pages').table('pages');
  for (const directive of scope.take('error_page')) {
    const uri = directive.args.at(-1) ?? '';
    const codes = directive.args.slice(0, -1);
    const changed = codes.find((code) => code.startsWith('='));
    if (changed !== undefined) context.report.lost(directive, 'an error page does not change the status');
    else if (!uri.startsWith('/') || !codes.every((code) => /^[45]\d\d$/.test(code)))
      context.report.lost(directive, 'an error page must be a file');
    else {
      const file = fileOf(uri, server, context);
      if (file === null) context.report.lost(directive, `no file is known for ${uri}`);
      else for (const code of codes) pages.set(code, file, directive);
    }
  }
  const intercept = scope.isOn('proxy_intercept_errors');
  if (!pages.isEmpty && intercept !== null) route.table('error_pages').set('intercept', true, intercept);
}

function checkSatisfy(_route: ConfigBuilder, scope: Scope, _server: Server, { report }: NginxContext): void {
  const directive = scope.one('satisfy');
  if (directive?.args[0] === 'any') report.lost(directive, 'both the address and the password are required');
}
