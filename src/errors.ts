/** Every way in which Viaduct itself fails. A client's mistake is not here: it is a status (`http/`). */
export type ErrorCode =
  | 'USAGE' // a flag, setting or argument that makes no sense: exit code 2
  | 'SETTINGS' // a settings file that cannot be read or holds a bad value: exit code 2
  | 'PYTHON_MISSING' // no interpreter, or one too old
  | 'APPLICATION_MISSING' // nothing to serve was found, or more than one thing
  | 'APPLICATION_BROKEN' // the application does not import
  | 'LISTEN' // an address cannot be bound
  | 'CERTIFICATE' // a certificate or key that cannot be used
  | 'WORKER' // a worker or zygote broke the protocol or died
  | 'HEADER_INVALID' // a response header that would split or desynchronise the message
  | 'RESPONSE_INVALID' // a response that breaks its own framing
  | 'UPSTREAM' // a backend whose response broke off
  | 'CONTRACT'; // an application or middleware that breaks WSGI's contract (PEP 3333)

/** The one error class. `message` reads: Cannot <verb> <thing> "value": <state>. `advice` says what to do about it. */
export class ViaductError extends Error {
  readonly code: ErrorCode;
  readonly advice: string;

  constructor(code: ErrorCode, message: string, options: { advice?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ViaductError';
    this.code = code;
    this.advice = options.advice ?? '';
  }

  /** 2 when the user's words are off, 1 when the world is. */
  get exitCode(): 1 | 2 {
    return this.code === 'USAGE' || this.code === 'SETTINGS' ? 2 : 1;
  }
}
