import { randomUUID } from 'node:crypto';
import { ApplicationCall } from '../application-call.ts';
import type { Header, Middleware } from '../contract.ts';

/** Options of `requestId`. */
export interface RequestIdOptions {
  /** The field with the id, in requests and responses. `X-Request-ID` by default. */
  readonly header?: string;
  /** Uses an id that the client sends. `true` by default, for ids of a front-end proxy. */
  readonly trusted?: boolean;
}

/** A client's id must not be able to forge a log line. */
const ID = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;

/**
 * Gives each request an id: the client's id if it has 1 to 128 letters, digits and `._~+/=:@-`, otherwise a new UUID. The application finds the id in
 * `viaduct.request_id` and in the field's key, such as `HTTP_X_REQUEST_ID`. The client finds it in the response.
 */
export function requestId({ header = 'X-Request-ID', trusted = true }: RequestIdOptions = {}): Middleware {
  const key = `HTTP_${header.toUpperCase().replaceAll('-', '_')}` as const;
  return function requestId(application) {
    return (environ, startResponse) => {
      const received = trusted ? environ[key as 'HTTP_X'] : undefined;
      const id = received !== undefined && ID.test(received) ? received : randomUUID();
      environ['viaduct.request_id'] = id;
      const client = environ['viaduct.client'];
      if (client instanceof ApplicationCall) client.request.record.id = id;
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
