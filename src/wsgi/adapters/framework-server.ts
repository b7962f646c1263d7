import { ViaductError } from '../../errors.ts';
import type { HandlerResult } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import type { Application } from '../contract.ts';
import { errorStream } from '../error-stream.ts';
import { serveApplication } from '../serve-application.ts';
import type { ListenerEnviron } from '../variables.ts';
import { ForeignRequest } from './framework-request.ts';

/** How an application is mounted in a server that is not ours. */
export interface MountOptions {
  /**
   * Path below which the application answers, for frameworks that do not cut it off themselves: `/admin`. The application sees it as the end of
   * SCRIPT_NAME. Percent-encoded as in a URL, without a final slash.
   */
  readonly mount?: string;
  /** Told what the application does wrong, and what nobody else is told. `console.error` by default. */
  readonly onError?: (error: unknown) => void;
}

/** Stands for the response of an application that failed before it began one. */
export class FailedResponse extends Response {
  readonly error: unknown;

  constructor(error: unknown) {
    super(500, '', '', -1, 0, null);
    this.error = error;
  }
}

/** A foreign server says itself, with each request, where it listens. */
const LISTENERS: readonly ListenerEnviron[] = [
  { SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' },
];

/** Answers requests of a foreign server. An error before the response begins becomes a `FailedResponse`, any other goes to `onError`. */
export function answerFor(
  application: Application,
  onError: (error: unknown) => void,
): (request: ForeignRequest) => HandlerResult {
  return serveApplication(application, {
    listeners: LISTENERS,
    software: 'viaduct',
    multiprocess: true,
    errors: errorStream((line) => process.stderr.write(`${line}\n`)),
    onError(error, request) {
      if (!(request instanceof ForeignRequest) || request.isAnswered) onError(error);
      else request.failure = error;
    },
    errorResponse: (error) => new FailedResponse(error),
  });
}

/** @throws ViaductError `USAGE` for a mount that is no path */
export function mountOf({ mount = '' }: MountOptions): string {
  if (mount === '' || /^(\/[^/?#\s]+)+$/.test(mount)) return mount;
  const advice = 'Begin it with a slash, and do not end it with one: "/admin".';
  throw new ViaductError('USAGE', `Cannot mount an application at "${mount}": it is no path`, { advice });
}

/** Whether `path` is `mount` or below it. */
export function isBelow(path: string, mount: string): boolean {
  return mount === '' || path === mount || (path.startsWith(mount) && path[mount.length] === '/');
}
