import type { ConfigBuilder, Value } from '../config-builder.ts';
import { writeCookieFlags } from './cookie-flags.ts';
import { expressionOf } from './expression.ts';
import { isPlainPath } from './forms.ts';
import { bytesOf, textOf } from './model/bytes.ts';
import type { Handler } from './model/model.ts';
import { parseTemplate, type Template } from './model/template.ts';
import { fill } from './placeholders.ts';
import { type RouteSink, type StepState, valuesWithGroups } from './step-state.ts';
import type { Directive } from './tree.ts';

/** The parts of the URL in `proxy_pass`. */
export interface PassedTo {
  readonly scheme: string;
  /** `127.0.0.1:8000`, `unix:/run/app.sock`, or the name of an upstream. */
  readonly authority: string;
  readonly uri: string | undefined;
}

const DEFAULT = "nginx's default";

/** The directives, their keys, and whether their patterns ignore case even without `~*`. */
const COOKIES = [
  ['proxy_cookie_path', 'cookie_path', false],
  ['proxy_cookie_domain', 'cookie_domain', true],
] as const;

/** Writes what is rewritten in the addresses of responses: `proxy_redirect` with its default, and in their cookies. */
export function writeBackendAddresses(
  route: ConfigBuilder,
  passed: PassedTo,
  handler: Extract<Handler, { readonly kind: 'backend' }>,
  state: StepState,
  writer: RouteSink,
): void {
  const { scopeOf, report } = writer.context;
  const scope = scopeOf(state.level);
  const options = route.table('proxy_options');
  const values = valuesOf(passed, state, writer);
  // with variables in proxy_pass, nginx has no default
  const hasVariables = handler.url.some(({ kind }) => kind !== 'text');
  const usual = hasVariables ? null : usualRedirect(route, passed, textOf(handler.replaces), writer);
  const redirects = scope.take('proxy_redirect');
  if (redirects.length === 0 && usual !== null) options.assume('redirects', [usual], DEFAULT);
  if (!redirects.some(isOff))
    for (const directive of redirects) {
      if (directive.args[0] !== 'default') writeReplacement('redirects', directive, false);
      else if (usual !== null) options.push('redirects', usual, directive);
    }
  for (const [name, key, ignoresCase] of COOKIES) {
    const directives = scope.take(name);
    if (!directives.some(isOff)) for (const directive of directives) writeReplacement(key, directive, ignoresCase);
  }
  writeCookieFlags(options, scope.take('proxy_cookie_flags'), values, report);

  function writeReplacement(key: string, directive: Directive, ignoresCase: boolean): void {
    const replacement = replacementOf(directive, values, ignoresCase);
    if ('wrong' in replacement) report.lost(directive, replacement.wrong);
    else if (key === 'redirects' && replacement.to === '') report.lost(directive, 'the address would be empty');
    else if (!isAscii(`${replacement.from ?? ''}${replacement.to}`.replaceAll(' ', '')))
      report.lost(directive, 'addresses are ASCII text');
    else options.push(key, { ...replacement }, directive);
  }
}

function isOff({ args }: Directive): boolean {
  return args[0] === 'off';
}

/** The values of variables, with those of `proxy_pass`. */
function valuesOf(
  { scheme, authority }: PassedTo,
  state: StepState,
  writer: RouteSink,
): ReturnType<typeof valuesWithGroups> {
  const values = valuesWithGroups(state, writer);
  const port = /:(\d+)$/.exec(authority)?.[1] ?? (scheme === 'https' ? '443' : '80');
  const text = (value: string): Template => [{ kind: 'text', text: bytesOf(value) }];
  const known = new Map(values.assigned).set('proxy_host', text(authority)).set('proxy_port', text(port));
  return { ...values, groups: [], assigned: known };
}

/** What `proxy_redirect default` does; null if backends have no URL. */
function usualRedirect(
  route: ConfigBuilder,
  { scheme, authority, uri }: PassedTo,
  path: string,
  { context }: RouteSink,
): Value | null {
  if (authority.startsWith('unix:')) return null;
  const isPrefix = uri === undefined || (uri.endsWith('/') && path.endsWith('/') && isPlainPath(uri));
  const isRewritten = route.tables.get('rewrite')?.get('pattern') !== undefined;
  if (isPrefix && !isRewritten && !context.upstreams.has(authority)) return 'backend';
  // a backend knows the name of an upstream only from Host
  if (context.upstreams.has(authority) && route.table('proxy_options').get('host') === undefined) return null;
  const origin = `${scheme}://${authority}`;
  if (uri === undefined) return { from: `${origin}/`, to: '/' };
  return isAscii(uri) ? { from: `${origin}${uri}`, to: literalAddress(path) } : null;
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

/** A path as an address of Viaduct's settings: nginx sends the bytes as they are, clients read both alike. */
function literalAddress(path: string): string {
  const filled = fill([{ kind: 'text', text: bytesOf(encodeURI(path).replace(/%25/g, '%')) }]);
  return 'text' in filled ? filled.text : path;
}

type Replacement =
  | { readonly from?: string; readonly pattern?: string; readonly to: string }
  | { readonly wrong: string };

function replacementOf(
  { args }: Directive,
  values: ReturnType<typeof valuesWithGroups>,
  ignoresCase: boolean,
): Replacement {
  const [from = '', to = ''] = args;
  if (!from.startsWith('~')) {
    const [start, end] = [from, to].map((text) => fill(parseTemplate(bytesOf(text)), values));
    const unknown = [start, end].flatMap((one) => (one !== undefined && 'unknown' in one ? [one.unknown] : []));
    if (start === undefined || end === undefined || 'unknown' in start || 'unknown' in end)
      return { wrong: `${unknown[0] ?? ''} has no counterpart` };
    return start.text === '' ? { wrong: 'it replaces nothing' } : { from: start.text, to: end.text };
  }
  const isLoose = from.startsWith('~*');
  const expression = expressionOf(from.slice(isLoose ? 2 : 1), isLoose || ignoresCase);
  if ('wrong' in expression) return expression;
  const end = fill(parseTemplate(bytesOf(to)), { ...values, groups: expression.groups });
  return 'unknown' in end
    ? { wrong: `${end.unknown} has no counterpart` }
    : { pattern: expression.source, to: end.text };
}
