import type { ConfigBuilder } from '../config-builder.ts';
import { closeUnknownGuards, writeAccess, writeBasicAuth, writeForwardAuth, writeSatisfy } from './access.ts';
import type { NginxContext } from './context.ts';
import { writeErrorPages } from './error-pages.ts';
import { writeFieldsOfResponses } from './fields.ts';
import { writeRateLimit, writeRequestLimit } from './limits.ts';
import type { Scope } from './scope.ts';
import { ONE_LOG } from './settings.ts';
import type { RouteSink, StepState } from './step-state.ts';
import { readSize, showSize } from './values.ts';

/**
 * Carries over what applies to a route besides its answer. nginx gives the answer of a `return` before it looks at most of it, and a text has no
 * error page, whatever its status.
 */
export function writeFeatures(
  route: ConfigBuilder,
  state: StepState,
  writer: RouteSink,
  answer: 'text' | 'return' | 'content',
): void {
  const { context } = writer;
  const scope = context.scopeOf(state.level);
  writeBodySize(route, scope);
  writeCompression(route, scope, context);
  writeFieldsOfResponses(route, state, writer);
  if (answer !== 'text') writeErrorPages(route, state, writer);
  writeLogging(route, scope, context);
  if (answer !== 'content') return;
  writeAccess(route, state, writer);
  writeBasicAuth(route, state, writer);
  writeForwardAuth(route, state, writer);
  closeUnknownGuards(route, state, writer);
  writeSatisfy(route, state, writer);
  writeRateLimit(route, state, writer);
  writeRequestLimit(route, state, writer);
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

/** The whole site has one access log, which routes can leave out. */
function writeLogging(route: ConfigBuilder, scope: Scope, { builder, report }: NginxContext): void {
  const directives = scope.take('access_log');
  if (directives.length === 0) return;
  const hasLog = builder.get('access_log') !== 'off';
  if (directives.every(({ args }) => args[0] === 'off')) {
    if (hasLog) route.set('access_log', false, ...directives);
    return;
  }
  for (const directive of directives)
    if (!hasLog) report.lost(directive, 'the site has no access log');
    else if (directive.args[0] !== 'off') report.differs(directive, ONE_LOG);
}

function writeCompression(route: ConfigBuilder, scope: Scope, { report }: NginxContext): void {
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
