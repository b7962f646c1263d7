import type { Application } from '../contract.ts';
import { toFetch } from './to-fetch.ts';

/** `fetch`, with an application in the place of the network. */
export type FetchFunction = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Asks `application` as `fetch` asks a server. A path alone is one of `http://localhost`. No socket is opened, and no redirect is followed. */
export function fetchFrom(application: Application): FetchFunction {
  const ask = toFetch(application);
  return function request(input, init = {}) {
    const asked = input instanceof Request ? input : new URL(input, 'http://localhost');
    return ask(new Request(asked, init.body === undefined ? init : { duplex: 'half', ...init }));
  };
}
