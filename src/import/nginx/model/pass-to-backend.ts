import type { FieldLines, Outcome } from '../../check/outcome.ts';
import { textOf } from './bytes.ts';
import { escapePath } from './escape.ts';
import type { Exchange } from './exchange.ts';
import type { Handler, SentField } from './model.ts';
import { parsePass } from './parse-pass.ts';
import { addedFields } from './respond.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

type BackendHandler = Handler & { readonly kind: 'backend' };

/** A backend gets the request: which one, with which target and fields. */
export function passToBackend(exchange: Exchange, handler: BackendHandler): Outcome {
  const { level, errorStatus } = exchange;
  const { to, host, uri } = parsePass(exchange, handler);
  const sent = textPairs(isCgi(handler) ? parameters(exchange, handler.module) : fieldsFor(exchange, handler, host));
  const method = level.settings.proxyMethod === null ? exchange.method : exchange.evaluate(level.settings.proxyMethod);
  return {
    kind: 'backend',
    to,
    method: handler.module === 'proxy' ? method : exchange.method,
    target: isCgi(handler)
      ? (sent.find(([name]) => name === 'REQUEST_URI')?.[1] ?? '')
      : textOf(targetOf(exchange, handler, uri)),
    status: errorStatus,
    sent,
    fields: addedFields(exchange, errorStatus ?? 200),
  };
}

function isCgi({ module }: BackendHandler): boolean {
  return module !== 'proxy' && module !== 'grpc';
}

/**
 * The target for a backend. Without a URI in `proxy_pass`, it is the target as received, unless something changed the URI. With a variable in
 * `proxy_pass`, its URI is all. Otherwise it replaces the path of the location.
 */
function targetOf(exchange: Exchange, { url, replaces }: BackendHandler, uri: string): string {
  const hasVariables = url.some(({ kind }) => kind !== 'text');
  if (uri === '' && exchange.validRequestUri) return exchange.requestUri;
  if (uri !== '' && hasVariables) return uri;
  const from = exchange.validLocation && uri !== '' ? replaces.length : 0;
  // nginx reads beyond the URI here: its worker may crash
  if (exchange.uri.length < from) throw new UnknownMeaning(`${replaces} with the shorter path ${textOf(exchange.uri)}`);
  const rest = exchange.uri.slice(from);
  const path = exchange.isQuoted || exchange.isInternal ? escapePath(rest) : rest;
  const args = exchange.args === '' ? '' : `?${exchange.args}`;
  return `${exchange.validLocation ? uri : ''}${path}${args}`;
}

/** Fields that end at nginx, or that it makes itself. */
const HOP_FIELDS: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'te', 'keep-alive', 'expect', 'upgrade'],
]);

function fieldsFor(exchange: Exchange, { module }: BackendHandler, host: string): FieldLines {
  const { settings } = exchange.level;
  const set = settings.sent[module];
  const names = new Set(set.map(({ name }) => name.toLowerCase()));
  const defaults: [string, string][] = names.has('host') ? [] : [['Host', host]];
  const own = set.map(({ name, value }) => [name, exchange.valueOf(value)] as const);
  const passed = settings.passesFields[module]
    ? exchange.fields.filter(([name]) => !names.has(name) && !HOP_FIELDS.has(name))
    : [];
  return [...defaults, ...own.filter(([, value]) => value !== ''), ...passed];
}

/** CGI variables: those of the configuration, and fields that none of them replaces. */
function parameters(exchange: Exchange, module: BackendHandler['module']): FieldLines {
  const { settings } = exchange.level;
  const set: readonly SentField[] = settings.sent[module];
  const names = new Set(set.map(({ name }) => name));
  const own = set.map(({ name, value, unlessEmpty }) => ({ name, value: exchange.valueOf(value), unlessEmpty }));
  const passed = settings.passesFields[module]
    ? exchange.fields.map(([name, value]) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value] as const)
    : [];
  return [
    ...own
      .filter(({ value, unlessEmpty }) => !unlessEmpty || value !== '')
      .map(({ name, value }) => [name, value] as const),
    ...passed.filter(([name]) => !names.has(name)),
  ];
}

function textPairs(pairs: FieldLines): FieldLines {
  return pairs.map(([name, value]) => [textOf(name), value === null ? null : textOf(value)] as const);
}
