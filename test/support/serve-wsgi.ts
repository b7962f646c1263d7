import { Response } from '../../src/http/response.ts';
import type { Application } from '../../src/wsgi/contract.ts';
import { errorStream } from '../../src/wsgi/error-stream.ts';
import { onceEach } from '../../src/wsgi/notices.ts';
import { serveApplication } from '../../src/wsgi/serve-application.ts';
import { ask } from './http-client.ts';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import type { Lifetime } from './lifetime.ts';
import { serveHandler, type TestServer } from './serve-handler.ts';

export interface ApplicationServer extends Omit<TestServer, 'errors'> {
  /** Messages of the errors that the server or the application caused. A test may take them out. */
  readonly errors: string[];
  /** What the log says about violations that the server corrects. */
  readonly notices: readonly string[];
  /** Lines that the application wrote to `wsgi.errors`. */
  readonly lines: readonly string[];
  ask(target?: string, request?: HttpRequest): Promise<HttpAnswer>;
}

const LISTENER = { SERVER_NAME: '127.0.0.1', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' } as const;

/** Starts a server in this process that calls a TypeScript `application`. If the application fails, the answer is 500 `failed`. */
export async function serveWsgi(t: Lifetime, application: Application): Promise<ApplicationServer> {
  const lines: string[] = [];
  const errors: string[] = [];
  const notices: string[] = [];
  const onError = (error: unknown): void => void errors.push(error instanceof Error ? error.message : String(error));
  const handle = serveApplication(application, {
    listeners: [LISTENER],
    software: 'test',
    multiprocess: false,
    errors: errorStream((line) => lines.push(line)),
    onError,
    onNotice: onceEach((text) => notices.push(text)),
    errorResponse: () => Response.text(500, 'failed'),
  });
  const server = await serveHandler(t, handle, { onError });
  return { ...server, errors, notices, lines, ask: (target = '/', request) => ask(server.port, target, request) };
}
