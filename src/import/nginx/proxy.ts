import type { ConfigBuilder } from '../config-builder.ts';
import { writeBackendAddresses } from './backend-addresses.ts';
import { type Scheme, writeBackends } from './backends.ts';
import { literal } from './expression.ts';
import { isPlainPath } from './forms.ts';
import { textOf } from './model/bytes.ts';
import type { Handler } from './model/model.ts';
import type { Template } from './model/template.ts';
import { writeParams } from './params.ts';
import { constantIn, substituted } from './placeholders.ts';
import { writeProxyOptions } from './proxy-options.ts';
import { writeSentFields } from './sent-fields.ts';
import { type RouteSink, restOfTarget, type StepState } from './step-state.ts';
import type { Directive } from './tree.ts';

/** The schemes of `proxy_pass` and `grpc_pass`. */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['grpc', 'h2c'],
  ['grpcs', 'h2'],
]);

type Backend = Extract<Handler, { readonly kind: 'backend' }>;

/** Makes a route forward its requests as `proxy_pass` and similar directives say. Returns false if that has no counterpart. */
export function writeProxy(route: ConfigBuilder, handler: Handler, state: StepState, writer: RouteSink): boolean {
  if (handler.kind !== 'backend') return false;
  const pass = handler.statement as Directive;
  const { context } = writer;
  context.report.took(pass);
  const written = urlOf(handler, state);
  if (written === null) {
    context.report.lost(pass, 'the target cannot contain variables; list the backends');
    return false;
  }
  const { module } = handler;
  const url = /^(?!unix:)\w+:\/\//.test(written) ? written : `${module}://${written}`;
  const [, given = '', rest = ''] = /^(\w+):\/\/(.*)$/s.exec(url) ?? [];
  if (given === 'suwsgi') {
    context.report.lost(
      pass,
      'uwsgi over TLS has no counterpart; nothing is sent in clear text, the route answers 503',
    );
    route.table('respond').set('status', 503, pass);
    return true;
  }
  const isCgi = module !== 'proxy' && module !== 'grpc';
  const target = isCgi || module === 'grpc' ? [rest, undefined] : splitUri(rest);
  const [authority = '', uri] = target;
  const scheme = isCgi ? (module as Scheme) : SCHEMES.get(given);
  if (scheme === undefined || authority === '') {
    context.report.lost(pass, `it is neither ${module === 'grpc' ? 'grpc:// nor grpcs://' : 'http:// nor https://'}`);
    return false;
  }
  if (!writeBackends(route, scheme, authority.replace(/^unix:\/+/, 'unix:/'), pass, context)) return false;
  if (uri !== undefined && !writePath(route, uri, handler, state, writer)) return true;
  writeProxyOptions(route.table('proxy_options'), module, scheme, context.scopeOf(state.level), context);
  if (isCgi) writeParams(route, module, state, writer);
  else writeSentFields(route, module, authority, handler, state, writer);
  if (module === 'proxy') writeBackendAddresses(route, { scheme: given, authority, uri }, handler, state, writer);
  return true;
}

/** The URL without variables. A URI that is what the client asked for is left out, because it is what backends get anyway. */
function urlOf({ url }: Backend, { assigned }: StepState): string | null {
  const parts = substituted(url, assigned);
  const isAll = (name: string): boolean => name === 'request_uri' || name === 'uri' || name === 'document_uri';
  const last = parts.at(-1);
  const own: Template = last?.kind === 'variable' && isAll(last.name) ? parts.slice(0, -1) : parts;
  const text = constantIn(own);
  return text === null ? null : textOf(text);
}

/** `127.0.0.1:8000/api/`, `unix:/run/app.sock:/api/`. */
function splitUri(rest: string): [string, string | undefined] {
  const [, authority = '', uri] = /^(unix:[^:]+|[^/]+)(?::?(\/.*))?$/.exec(rest) ?? [];
  return [authority, uri];
}

/** Writes the rewrite for a path in `proxy_pass`, which replaces the path of the location. Returns whether the route has backends: it does not if the path has no counterpart. */
function writePath(route: ConfigBuilder, uri: string, handler: Backend, state: StepState, writer: RouteSink): boolean {
  const { report } = writer.context;
  const { match } = state;
  const pass = handler.statement as Directive;
  const path = textOf(handler.replaces);
  if (state.rewrite !== null) {
    const rest = path === '' || !isPlainPath(uri) ? null : restOfTarget(state, path);
    // after `rewrite … break`, nginx leaves the path of proxy_pass out
    const to = `${uri}${rest}`.replace(/^\/{2,}/, '/');
    if (rest !== null) route.table('rewrite').set('to', to, state.rewrite.from, pass);
    return rest !== null || state.rewrite.staysHere || withoutBackends('behind a rewrite, ');
  }
  const [first = ''] = match.paths;
  const isExact = first !== '' && !first.endsWith('*');
  if (path === '' || !isPlainPath(uri) || !isPlainPath(path) || (isExact && first !== path)) {
    return withoutBackends('');
  }
  if (path === uri && !isExact) return true;
  // the files of the route would be looked up by the new path, too
  if (route.get('static') !== undefined) return withoutBackends('behind files, ');
  const rewrite = route.table('rewrite');
  if (isExact) {
    rewrite.set('pattern', `^${literal(path)}$`, pass);
    rewrite.set('decoded', true, pass);
    rewrite.set('to', uri, pass);
    return true;
  }
  if (path.endsWith('/') && uri.endsWith('/') && path !== '/') {
    rewrite.set('prefix', path.replace(/\/+$/, ''), pass);
    if (uri !== '/') rewrite.set('replacement', uri.replace(/\/+$/, ''), pass);
    return true;
  }
  rewrite.set('pattern', `^${literal(path)}(.*)$`, pass);
  rewrite.set('decoded', true, pass);
  rewrite.set('to', `${uri}{1}`, pass);
  return true;

  function withoutBackends(where: string): false {
    report.lost(pass, `${where}this path after a backend has no counterpart; the route answers 404`);
    route.values.delete('proxy');
    if (route.get('static') === undefined) route.table('respond').set('status', 404, pass);
    return false;
  }
}
