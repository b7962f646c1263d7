import type { Next } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import type { Application, ErrorStream } from '../contract.ts';
import { errorStream } from '../error-stream.ts';
import { serveApplication } from '../serve-application.ts';

/** How an application is called from within another server. */
export interface MountOptions {
  /**
   * What of the path leads to the application, percent-encoded as in the URL: `/admin`. It sees this as SCRIPT_NAME and the rest as PATH_INFO.
   * Requests for other paths are not for it.
   */
  readonly scriptName?: string;
  /** `wsgi.errors`. Standard error when absent. */
  readonly errors?: ErrorStream;
  /** Told what goes wrong where nobody else can be: after the response has begun, or in the application's `close`. `console.error` when absent. */
  readonly onError?: (error: unknown) => void;
}

/** What the server gets in place of a response when the application fails before it begins one. */
export class Failure extends Response {
  readonly error: unknown;

  constructor(error: unknown) {
    super(500, '', '', -1, 0, null);
    this.error = error;
  }
}

/** What a program says that was not told where it listens. */
const LISTENERS = [{ SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' }] as const;

/** The function that answers a mounted application's requests. What fails before the response begins comes as a `Failure`. */
export function mountedApplication(application: Application, options: MountOptions): Next {
  const { onError = console.error, errors = errorStream(console.error) } = options;
  // An error that becomes the response is told to who asked for it, and not here as well.
  const answered = new WeakSet<object>();
  return serveApplication(application, {
    listeners: LISTENERS,
    software: 'viaduct',
    multiprocess: false,
    errors,
    onError(error) {
      setImmediate(() => {
        if (typeof error !== 'object' || error === null || !answered.has(error)) onError(error);
      });
    },
    errorResponse(error) {
      if (typeof error === 'object' && error !== null) answered.add(error);
      return new Failure(error);
    },
  });
}

/** Whether `path` is `scriptName` or below it. */
export function isBelow(path: string, scriptName: string): boolean {
  return path.startsWith(scriptName) && (path.length === scriptName.length || path[scriptName.length] === '/');
}
