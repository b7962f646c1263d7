import { request } from 'node:http';
import { connect } from 'node:net';
import { type ErrorCode, ViaductError } from '../../errors.ts';

/** The answer of a control socket: a status of HTTP and a value of JSON. */
export interface Reply {
  readonly status: number;
  readonly value: unknown;
}

/** The answers have limits on the other side; this one is for a program that only looks like a server. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Sends a request to the control socket at `socketPath`. Rejects if there is no answer after `timeoutMs`; 0 waits for ever.
 *
 * @throws ViaductError `LISTEN` with the reason
 */
export async function send(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
): Promise<Reply> {
  const { status, text } = await exchange(socketPath, method, path, timeoutMs);
  try {
    return { status, value: text === '' ? null : JSON.parse(text) };
  } catch {
    throw unreachable(socketPath, 'what listens there is not Viaduct');
  }
}

/** Reads a resource whose content is a file. See `send`. */
export function sendForText(socketPath: string, path: string, timeoutMs: number): Promise<TextReply> {
  return exchange(socketPath, 'GET', path, timeoutMs);
}

interface TextReply {
  readonly status: number;
  readonly text: string;
}

function exchange(socketPath: string, method: 'GET' | 'POST', path: string, timeoutMs: number): Promise<TextReply> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, headers: { host: 'localhost' }, agent: false, timeout: timeoutMs };
    const message = request(options, (response) => {
      const blocks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (block: Buffer) => {
        bytes += block.length;
        if (bytes > REPLY_BYTES_MAX) message.destroy(new Error('it sends too much'));
        else blocks.push(block);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(blocks).toString('utf8') }),
      );
      response.on('error', (error) => reject(unreachable(socketPath, error.message)));
    });
    message.on('timeout', () => message.destroy(new Error(`it does not answer within ${timeoutMs / 1000} s`)));
    message.on('error', (error: NodeJS.ErrnoException) =>
      reject(unreachable(socketPath, REASONS[error.code ?? ''] ?? error.message)),
    );
    message.end();
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'the socket does not exist',
  ECONNREFUSED: 'no server listens there',
  EACCES: 'permission denied',
};

/** The error for a server that cannot be reached, or does not answer as one. */
export function unreachable(path: string, reason: string): ViaductError {
  return new ViaductError('LISTEN', `Cannot reach the server at "${path}": ${reason}`, {
    advice: 'Check that the server runs, with the same setting "control" and as this user.',
  });
}

/** Whether nobody listens at `socketPath`. */
export function isGone(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ENOENT' || code === 'ECONNREFUSED'));
  });
}

/**
 * Returns the value of a reply that reports no failure.
 *
 * @throws ViaductError `code` with the server's sentence about the failure
 */
export function resultOf({ status, value }: Reply, what: string, code: ErrorCode = 'USAGE'): unknown {
  if (status < 400) return value;
  const { error } = (value ?? {}) as { readonly error?: unknown };
  throw new ViaductError(code, `Cannot ${what}: ${typeof error === 'string' ? error : `status ${status}`}`);
}
