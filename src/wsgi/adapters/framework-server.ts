import { ViaductError } from '../../errors.ts';
import type { HandlerResult } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import type { Application } from '../contract.ts';
import { errorStream } from '../error-stream.ts';
import { onceEach } from '../notices.ts';
import { serveApplication } from '../serve-application.ts';
import type { ListenerEnviron } from '../variables.ts';
import { FrameworkRequest } from './framework-request.ts';

/** Options of `toNode` and `toFetch`. */
export interface MountOptions {
  /**
   * Path below which the application answers, for frameworks that do not remove it from the path themselves: `/admin`. The application sees it as the end
   * of SCRIPT_NAME. Percent-encoded as in a URL, without a final slash. '' by default.
   */
  readonly mount?: string;
  /** Called for errors of the application that no one else receives, such as one after the response has started. `console.error` by default. */
  readonly onError?: (error: unknown) => void;
}

/** Represents the response of an application that failed before its response started. */
export class FailedResponse extends Response {
  readonly error: unknown;

  constructor(error: unknown) {
    super(500, '', '', -1, 0, null);
    this.error = error;
  }
}

/** The listener of requests whose framework does not report a port. */
const LISTENERS: readonly ListenerEnviron[] = [
  { SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' },
];

/** Answers requests of a framework's server. An error before the response starts becomes a `FailedResponse`, any other goes to `onError`. */
export function answerFor(
  application: Application,
  onError: (error: unknown) => void,
): (request: FrameworkRequest) => HandlerResult {
  const errors = errorStream((line) => process.stderr.write(`${line}\n`));
  return serveApplication(application, {
    listeners: LISTENERS,
    software: 'viaduct',
    multiprocess: true,
    errors,
    onNotice: onceEach((text) => errors.write(`${text}\n`)),
    onError(error, request) {
      if (!(request instanceof FrameworkRequest) || request.isAnswered) onError(error);
      else request.failure = error;
    },
    errorResponse: (error) => new FailedResponse(error),
  });
}

/** @throws ViaductError `USAGE` for a mount that is not a path */
export function mountOf({ mount = '' }: MountOptions): string {
  if (mount === '' || /^(\/[^/?#\s]+)+$/.test(mount)) return mount;
  const advice = 'Start it with a slash, and do not end it with one: "/admin".';
  throw new ViaductError('USAGE', `Cannot mount an application at "${mount}": it is not a path`, { advice });
}

/** Whether `path` is `mount` or below it. */
export function isBelow(path: string, mount: string): boolean {
  return mount === '' || path === mount || (path.startsWith(mount) && path[mount.length] === '/');
}
