import { randomUUID } from 'node:crypto';
import type { Header, Middleware } from '../contract.ts';

export interface RequestIdOptions {
  /** The field that carries the id, in requests and responses. `X-Request-ID` by default. */
  readonly header?: string;
  /** Whether an id that the client sends is taken over. On by default: a proxy in front has made it. */
  readonly trusted?: boolean;
}

/** What an id may consist of: nothing that could forge a log line. */
const ID = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;

/**
 * Gives each request an id: the client's where it is a proper one, else a new UUID. The application finds it as `viaduct.request_id` and in the header's key,
 * the client in the response.
 */
export function requestId({ header = 'X-Request-ID', trusted = true }: RequestIdOptions = {}): Middleware {
  const key = `HTTP_${header.toUpperCase().replaceAll('-', '_')}` as const;
  return function requestId(application) {
    return (environ, startResponse) => {
      const given = trusted ? environ[key as 'HTTP_X'] : undefined;
      const id = given !== undefined && ID.test(given) ? given : randomUUID();
      environ['viaduct.request_id'] = id;
      environ[key as 'HTTP_X'] = id;
      return application(environ, (status, headers, excInfo) =>
        startResponse(status, withHeader(headers, header, id), excInfo),
      );
    };
  };
}

function withHeader(headers: readonly Header[], name: string, value: string): Header[] {
  const lower = name.toLowerCase();
  return [...headers.filter(([other]) => other.toLowerCase() !== lower), [name, value]];
}
