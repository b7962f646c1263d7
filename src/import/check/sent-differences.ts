import type { Difference, DifferenceKind } from './difference.ts';
import { joined, shown } from './field-differences.ts';
import type { FieldLines, Probe } from './outcome.ts';

/**
 * The fields or variables for backends that differ: those that the other server sent, and those of the `client` that it removed. Viaduct may
 * send more.
 */
export function sentDifferences(before: FieldLines, now: FieldLines, { fields: client, secure }: Probe): Difference[] {
  const present = joined(now);
  const old = joined(before);
  const isRemoved = (lower: string): boolean => present.has(lower) && !old.has(lower);
  const removed = client
    .flatMap(([name]) => [name, variableOf(name)])
    .filter((name) => isRemoved(name.toLowerCase()))
    .map((name) => ({ name, value: '' }));
  return [...old.values(), ...removed].flatMap(({ name, value }): Difference[] => {
    const lower = name.toLowerCase();
    const is = present.get(lower)?.value;
    if (value === null || value === (is ?? '')) return [];
    const plain = lower.replace(/^http_/, '').replaceAll('_', '-');
    if (CONNECTION.test(plain) || sameValue(plain, value, is ?? '')) return [];
    const isPassed = client.some(
      ([one, stated]) => name === one.toLowerCase() || (name === variableOf(one) && value === stated),
    );
    if (isPassed && (is === undefined || secure) && ABOUT_CLIENT.test(plain)) return [];
    return [
      {
        kind: kindOf(plain, value),
        subject: name,
        before: shown('sends', name, value),
        now: shown('sends', name, is),
      },
    ];
  });
}

/** Fields of a connection: each server writes its own. */
const CONNECTION =
  /^(?:connection|upgrade|te|keep-alive|proxy-connection|transfer-encoding|content-length|accept-encoding)$/;
const ABOUT_SCHEME =
  /^(?:host|https|request-scheme|uwsgi-scheme|server-name|server-port|x-forwarded-(?:proto|host|port|ssl|scheme)|x-scheme|forwarded)$/;

/**
 * Fields that only trusted proxies may state. The other server passed them on from everybody. Viaduct's own values are true where the other
 * server ended TLS itself; elsewhere a balancer in front may have stated them.
 */
const ABOUT_CLIENT = /^(?:x-forwarded-.*|forwarded|x-real-ip)$/;

/** The CGI variable of a field. */
function variableOf(name: string): string {
  return `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
}

function kindOf(name: string, before: string): DifferenceKind {
  if (ABOUT_SCHEME.test(name)) return 'another scheme or host';
  // A field that was removed, so that no client could state it.
  return before === '' ? 'more open' : 'another answer';
}

function sameValue(name: string, before: string, now: string): boolean {
  if (name === 'x-forwarded-for') return lastOf(before) === lastOf(now);
  if (name === 'host' || name === 'x-forwarded-host') return withoutPort(before) === withoutPort(now);
  return before === now;
}

/** The address that the server itself added. What clients state before it is trusted by nobody. */
function lastOf(list: string): string {
  return list.split(',').at(-1)?.trim() ?? '';
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}
