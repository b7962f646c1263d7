import type { Application, Environ, Header, StartResponse } from '../../src/wsgi/contract.ts';
import { inputOf } from '../../src/wsgi/input-stream.ts';

/** An environ as a server makes it, with `changes`. A change to undefined leaves the key out. */
export function environWith(changes: Readonly<Record<string, unknown>> = {}): Environ {
  const environ: Record<string, unknown> = {
    REQUEST_METHOD: 'POST',
    SCRIPT_NAME: '',
    PATH_INFO: '/',
    QUERY_STRING: '',
    REQUEST_URI: '/',
    RAW_URI: '/',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_SOFTWARE: 'test',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_PORT: '50000',
    CONTENT_LENGTH: '7',
    'wsgi.version': [1, 0],
    'wsgi.url_scheme': 'http',
    'wsgi.input': inputOf('content'),
    'wsgi.errors': { write() {}, writelines() {}, flush() {} },
    'wsgi.multithread': false,
    'wsgi.multiprocess': false,
    'wsgi.run_once': false,
    'wsgi.input_terminated': true,
    ...changes,
  };
  for (const [key, value] of Object.entries(changes)) if (value === undefined) delete environ[key];
  return environ as unknown as Environ;
}

/** The response of an application. */
export interface ApplicationResponse {
  status: string;
  headers: readonly Header[];
  body: Buffer;
}

/** Calls an application as a server does (PEP 3333), and returns its response. */
export async function callApplication(application: Application, environ: Environ): Promise<ApplicationResponse> {
  const response: ApplicationResponse = { status: '', headers: [], body: Buffer.alloc(0) };
  const take = (block: Uint8Array): void => {
    response.body = Buffer.concat([response.body, block]);
  };
  const startResponse: StartResponse = (status, headers) => {
    Object.assign(response, { status, headers });
    return async (block) => take(block);
  };
  const body = await application(environ, startResponse);
  try {
    for await (const block of body) take(block);
  } finally {
    await body.close?.();
  }
  return response;
}
