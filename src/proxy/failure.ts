import { ViaductError } from '../errors.ts';
import { type Backend, backendName } from './backend.ts';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no connection in time',
  EPROTO: 'it does not speak TLS as we do',
  EMFILE: 'there are too many open files',
};

/** What went wrong with a connection, for the log. */
export function describeFailure(error: Error | null): string {
  if (error === null) return 'the connection was closed';
  const inner = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const { code } = inner as NodeJS.ErrnoException;
  return (
    (code === undefined ? undefined : REASONS[code]) ?? (inner.message === '' ? (code ?? 'unknown') : inner.message)
  );
}

/** The same for one that ended while something was expected of it: `when` stands behind "the connection closed". */
export function describeClosing(error: Error | null, when: string): string {
  return error === null ? `the connection closed ${when}` : describeFailure(error);
}

/** What becomes of a response that has begun and does not come whole. */
export function brokenContent(backend: Backend, reason: string): ViaductError {
  return new ViaductError(
    'UPSTREAM',
    `Cannot complete a response of backend "${backendName(backend)}": content: ${reason}`,
  );
}
