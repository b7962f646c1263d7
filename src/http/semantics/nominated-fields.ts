import type { HeaderList } from '../message.ts';

/**
 * Fields that a client cannot declare as those of its connection: they are for all recipients (RFC 9110 section 7.6.1), or
 * the connection reads them itself. A front-end proxy that passes on its client's `Connection` would otherwise lose what
 * it says about this client.
 */
const FOR_ALL =
  /^(?:|host|content-.*|transfer-encoding|connection|expect|te|trailer|upgrade|keep-alive|http2-settings|forwarded|x-forwarded-.*|x-real-ip)$/;

/** Whether the Connection option `name` (lower case) declares a field as one of the connection. */
export function isNominable(name: string): boolean {
  return !FOR_ALL.test(name);
}

/** `headers` without the fields of the client's connection, so that handlers and applications never see them. */
export function withoutNominated(headers: HeaderList, nominated: ReadonlySet<string>): string[] {
  return headers.filter((_, i) => !nominated.has((headers[i - (i % 2)] as string).toLowerCase()));
}
