import type { TestContext } from 'node:test';
import type { Breach } from '../../src/gateway/validator/breach.ts';
import { Response } from '../../src/http/response.ts';
import type { Application, Middleware } from '../../src/wsgi/contract.ts';
import { errorStream } from '../../src/wsgi/error-stream.ts';
import { serveApplication } from '../../src/wsgi/serve-application.ts';
import { validator } from '../../src/wsgi/validator/validator.ts';
import { ask, type HttpAnswer, type HttpRequest } from './http-client.ts';
import { serve } from './serve.ts';

export interface ApplicationServer {
  readonly port: number;
  /** What the log would tell of. */
  readonly told: string[];
  /** Lines of `wsgi.errors`. */
  readonly lines: string[];
  ask(target?: string, request?: HttpRequest): Promise<HttpAnswer>;
}

const LISTENER = { SERVER_NAME: '127.0.0.1', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' } as const;

/** Serves `application` over real connections until the test is over. An application that fails is answered for with 500 `failed`. */
export async function serveHere(t: TestContext, application: Application): Promise<ApplicationServer> {
  const told: string[] = [];
  const lines: string[] = [];
  const onError = (error: unknown): void => void told.push(error instanceof Error ? error.message : String(error));
  const handle = serveApplication(application, {
    listeners: [LISTENER],
    software: 'test',
    multiprocess: false,
    errors: errorStream((line) => lines.push(line)),
    onError,
    errorResponse: () => Response.text(500, 'failed'),
  });
  const { port, close } = await serve({ handle, onError });
  t.after(close);
  return { port, told, lines, ask: (target = '/', request) => ask(port, target, request) };
}

/** A validator, and what it saw. */
export function watch(): { readonly check: Middleware; readonly breaches: Breach[] } {
  const breaches: Breach[] = [];
  return { check: validator({ onBreach: (breach) => void breaches.push(breach) }), breaches };
}
