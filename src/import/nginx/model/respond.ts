import type { FieldLines, Outcome } from '../../check/outcome.ts';
import { textOf } from './bytes.ts';
import type { Exchange } from './exchange.ts';
import { expiresValue } from './expires.ts';
import { mediaTypeOf, plainPath } from './files.ts';
import type { Expires } from './model.ts';
import type { Template } from './template.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** Statuses whose responses get `expires` and fields that are not for `always`. */
const USUAL: ReadonlySet<number> = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

/** nginx answers by itself. `content` is null for a usual error page. */
export function answer(exchange: Exchange, status: number, content: string | null): Outcome {
  const isRedirect = [301, 302, 303, 307, 308].includes(status);
  const location = isRedirect && exchange.redirectTo !== null ? textOf(absolute(exchange, exchange.redirectTo)) : null;
  const text = content === null ? null : textOf(content);
  const fields = addedFields(exchange, status);
  const hasOwnType = fields.some(([name]) => name.toLowerCase() === 'content-type');
  const type = text === null || text === '' || location !== null || hasOwnType ? null : mediaTypeOf(exchange);
  return { kind: 'answer', status, location, content: text, type, fields };
}

/** A file, or the list of a directory. */
export function sendFile(exchange: Exchange, path: string, listing: boolean): Outcome {
  const status = exchange.errorStatus ?? 200;
  const type = listing ? 'text/html' : mediaTypeOf(exchange);
  return { kind: 'file', path: plainPath(path), listing, status, type, fields: addedFields(exchange, status) };
}

/** What `expires` and `add_header` add to a response. */
export function addedFields(exchange: Exchange, status: number): FieldLines {
  const { fields, expires } = exchange.level.settings;
  const isUsual = USUAL.has(status);
  const cacheControl = isUsual ? cacheControlOf(exchange, expires) : null;
  const added = fields
    .filter(({ always }) => always || isUsual)
    .map(({ name, value }) => [name, exchange.valueOf(value)] as const)
    .map(([name, value]) => [textOf(name), value === null ? null : textOf(value)] as const)
    .filter(([, value]) => value !== '');
  return cacheControl === null ? added : [['Cache-Control', cacheControl], ...added];
}

function cacheControlOf(exchange: Exchange, expires: Expires): string | null {
  if (expires.kind === 'value') return expires.cacheControl;
  if (expires.kind === 'opaque') throw new UnknownMeaning(expires.statement.text);
  if (expires.kind === 'off') return null;
  const value = expiresValue(exchange.evaluate(expires.value));
  return value?.kind === 'value' ? value.cacheControl : null;
}

const OWN_ADDRESS: Template = [{ kind: 'variable', name: 'server_addr' }];

/** A Location that is a path becomes a URL with the host of the request. */
function absolute(exchange: Exchange, location: string): string {
  const { settings } = exchange.level;
  if (!location.startsWith('/') || !settings.absoluteRedirect) return location;
  const { address } = exchange.address;
  const port = /:(\d+)$/.exec(address)?.[1];
  const scheme = exchange.probe.secure ? 'https' : 'http';
  const isUsualPort = port === undefined || port === (exchange.probe.secure ? '443' : '80');
  const host = settings.serverNameInRedirect ? exchange.server.name : exchange.host || exchange.evaluate(OWN_ADDRESS);
  return `${scheme}://${host}${isUsualPort || !settings.portInRedirect ? '' : `:${port}`}${location}`;
}
