import { ViaductError } from '../errors.ts';
import { type Backend, backendName } from './backend.ts';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOENT: 'the socket does not exist',
  EACCES: 'permission denied',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  EPROTO: 'the TLS handshake failed',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the TLS handshake found no common protocol (ALPN)',
  EMFILE: 'there are too many open files',
};

/** The reason for a failed connection, for the log. */
export function describeFailure(error: Error | null): string {
  if (error === null) return 'the connection was closed';
  const inner = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const { code } = inner as NodeJS.ErrnoException;
  return (
    (code === undefined ? undefined : REASONS[code]) ?? (inner.message === '' ? (code ?? 'unknown') : inner.message)
  );
}

/** The same for a connection that ended too early. `when` is appended to "the connection closed". */
export function describeClosing(error: Error | null, when: string): string {
  return error === null ? `the connection closed ${when}` : describeFailure(error);
}

/** The error for a response that has started but cannot be completed. */
export function brokenContent(backend: Backend, reason: string): ViaductError {
  return new ViaductError(
    'UPSTREAM',
    `Cannot complete a response of backend "${backendName(backend)}": content: ${reason}`,
  );
}
