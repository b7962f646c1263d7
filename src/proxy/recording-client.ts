import type { HeaderList, Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { type Backend, backendName } from './backend.ts';
import { RequestParams } from './cgi/request-params.ts';
import type { CreateClient, UpstreamClientOptions } from './create-client.ts';
import { RequestHeads, requestTarget } from './http1/request-heads.ts';
import type { UpstreamClient } from './upstream.ts';

/** What a backend would get. */
export interface SentRequest {
  /** See `backendName`. */
  readonly backend: string;
  readonly method: string;
  /** Path and query as the backend would get them, percent-encoded. */
  readonly target: string;
  /** Field lines, or the variables of a CGI protocol. */
  readonly fields: HeaderList;
}

/** Clients that connect to nobody: they write each request as for their backend and return what `answer` makes of it. */
export function recordingClients(answer: (request: Request, sent: SentRequest) => Response): CreateClient {
  return (backend, _clock, options) => new RecordingClient(backend, writerFor(backend, options), answer);
}

class RecordingClient implements UpstreamClient {
  readonly needsLength = false;
  readonly mayRefuse = false;
  readonly active = 0;
  readonly #name: string;
  readonly #write: (request: Request) => HeaderList;
  readonly #answer: (request: Request, sent: SentRequest) => Response;

  constructor(
    backend: Backend,
    write: (request: Request) => HeaderList,
    answer: (request: Request, sent: SentRequest) => Response,
  ) {
    this.#name = backendName(backend);
    this.#write = write;
    this.#answer = answer;
  }

  send(request: Request): Response {
    const sent = {
      backend: this.#name,
      method: request.method,
      target: requestTarget(request),
      fields: this.#write(request),
    };
    return this.#answer(request, sent);
  }

  requests(): Iterable<Request> {
    return [];
  }

  stop(): void {}

  destroy(): void {}
}

/** Makes the fields for a backend. Those of HTTP/2 are the fields of HTTP/1.1. */
function writerFor(backend: Backend, options: UpstreamClientOptions): (request: Request) => HeaderList {
  const { protocol } = backend;
  if (protocol === undefined || protocol === 'http2') {
    const heads = new RequestHeads(backend, { ...options, closes: false });
    return (request) => fieldsOf(heads.fields(request));
  }
  const params = new RequestParams(options, (variables) => variables.map((part) => `${part}\0`).join(''));
  return (request) => params.write(request).split('\0').slice(0, -1);
}

function fieldsOf(lines: string): string[] {
  const fields: string[] = [];
  for (const line of lines.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':');
    fields.push(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}
