import type { Next } from '../http/handler.ts';
import type { Application } from './contract.ts';
import { handleOf } from './direct.ts';
import { type EnvironOptions, Environs } from './environs.ts';
import { Exchange, type ExchangeOptions } from './exchange.ts';

export type ApplicationOptions = EnvironOptions & Omit<ExchangeOptions, 'environs'>;

/**
 * The server's side of the contract (PEP 3333, "The Server/Gateway Side"): the end of a handler chain that calls `application`. One that takes requests itself,
 * as a pool of Python workers does, is called without an environ.
 */
export function serveApplication(application: Application, options: ApplicationOptions): Next {
  const handle = handleOf(application);
  if (handle !== null) return handle;
  const exchangeOptions = { ...options, environs: new Environs(options) };
  return function callApplication(request) {
    return new Exchange(request, exchangeOptions).run(application);
  };
}
