import type { ConfigBuilder } from '../config-builder.ts';
import type { Location, NginxContext, Server } from './context.ts';
import { writeFiles } from './files.ts';
import { PASS_DIRECTIVES, writeProxy } from './proxy.ts';
import { readRewrite, writeReturn } from './redirects.ts';
import { Scope } from './scope.ts';
import { writeTryFiles } from './try-files.ts';

/** How a route got its answer, and the directives that apply to it. */
export interface Answer {
  readonly by: 'return' | 'content';
  readonly scope: Scope;
}

/** Makes a route answer as its location or server does. A route without an answer gets 404. */
export function writeAnswer(route: ConfigBuilder, location: Location, server: Server, context: NginxContext): Answer {
  const { scope } = location;
  const [returned] = scope.own('return');
  if (returned !== undefined) {
    const pattern = location.kind === 'pattern' ? location.path : undefined;
    const type = typeOf(scope);
    writeReturn(route, returned, context, { serverName: server.names[0], groups: location.groups, pattern, type });
    return { by: 'return', scope };
  }
  writeRewrite(route, scope, server, context);
  if (!writeContent(route, location, server, context)) notFound(route);
  return { by: 'content', scope: withNamed(scope, server, context) };
}

/** Rules of the named location behind `try_files` apply to the files before it too, so that no protected file becomes public. */
function withNamed(scope: Scope, { locations }: Server, { report }: NginxContext): Scope {
  const name = scope.directives.find((one) => one.name === 'try_files')?.args.at(-1) ?? '';
  const named = locations.find(({ kind, path }) => kind === 'named' && path === name);
  if (named === undefined) return scope;
  for (const directive of named.scope.directives) {
    if (ON_THE_WAY.test(directive.name)) report.differs(directive, 'it applies to the files of the route too');
  }
  return new Scope(named.scope.directives, scope, report);
}

const ON_THE_WAY = /^(?:add_header|expires|allow|deny|auth_basic|auth_request|limit_req|limit_conn|error_page|gzip)$/;

/** Uses the first that exists: files with a fallback, backends, files alone. */
function writeContent(route: ConfigBuilder, location: Location, server: Server, context: NginxContext): boolean {
  const { scope } = location;
  const [tried] = scope.own('try_files');
  if (tried !== undefined) {
    const behind = writeTryFiles(route, tried, location, server, context);
    if (behind === null) return route.get('static') !== undefined;
    const isWritten = writePass(route, behind, server, context);
    if (!isWritten) context.report.lost(behind.directive, 'it forwards nothing');
    return isWritten || route.get('static') !== undefined;
  }
  if (passOf(scope) !== undefined) return writePass(route, location, server, context);
  for (const name of OTHER_CONTENT) {
    const [directive] = scope.own(name);
    if (directive === undefined) continue;
    context.report.lost(directive, 'Viaduct has no counterpart; the route answers 404');
    return false;
  }
  return writeFiles(route, location, context);
}

const OTHER_CONTENT = [
  ...['memcached_pass', 'stub_status', 'dav_methods', 'flv', 'mp4', 'empty_gif', 'js_content', 'perl'],
  ...['content_by_lua', 'content_by_lua_block', 'content_by_lua_file', 'api', 'status'],
];

function passOf(scope: Scope) {
  return scope.own(...PASS_DIRECTIVES).at(-1);
}

function writePass(route: ConfigBuilder, location: Location, server: Server, context: NginxContext): boolean {
  const pass = passOf(location.scope);
  return pass !== undefined && writeProxy(route, pass, location, server, context);
}

/** A `rewrite … break`, or a rewrite without a flag, changes the path that the answer sees. */
function writeRewrite(route: ConfigBuilder, scope: Scope, server: Server, context: NginxContext): void {
  const inner = scope.own('rewrite').filter(({ args }) => !['permanent', 'redirect', 'last'].includes(args[2] ?? ''));
  for (const [index, directive] of inner.entries()) {
    const rewrite = readRewrite(directive, context, server);
    if (rewrite === null || rewrite.status !== null) continue;
    if (index > 0) {
      context.report.lost(directive, 'a route can have one rewrite');
      continue;
    }
    route.table('rewrite').set('pattern', rewrite.pattern, directive);
    route.table('rewrite').set('to', rewrite.to, directive);
  }
}

/** The type of a text: `default_type`, or nginx's default, text/plain. */
function typeOf(scope: Scope): string {
  return scope.one('default_type')?.args[0] ?? 'text/plain';
}

function notFound(route: ConfigBuilder): void {
  route.table('respond').assume('status', 404, 'no answer is known');
}
