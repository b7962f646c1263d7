import type { Application } from '../contract.ts';
import { toFetch } from './to-fetch.ts';

/** A function with the parameters of `fetch`, which calls an application instead of the network. */
export type FetchFunction = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Calls `application` as `fetch` calls a server. A path alone is a path of `http://localhost`. It opens no socket, and follows no redirect. */
export function fetchFrom(application: Application): FetchFunction {
  const fetchApplication = toFetch(application);
  return function request(input, init = {}) {
    const target = input instanceof Request ? input : new URL(input, 'http://localhost');
    return fetchApplication(new Request(target, init.body === undefined ? init : { duplex: 'half', ...init }));
  };
}
