import { once } from 'node:events';
import { request as request1 } from 'node:http';
import { connect } from 'node:http2';
import type { Readable, Writable } from 'node:stream';

export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

/** A response's head, and what is to come. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
  /** Gives the exchange up. */
  abandon(): void;
}

export interface OpenExchange {
  /** The request's content; to be ended. */
  readonly upload: Writable;
  answer(): Promise<OpenAnswer>;
  abandon(): void;
}

/** Begins one request on a connection of its own. */
export function begin(
  protocol: ProtocolName,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): OpenExchange {
  return protocol === 'HTTP/2' ? beginHttp2(port, method, path, headers) : beginHttp1(port, method, path, headers);
}

/** One request without content; its answer with the content as latin-1. `whole` is false when the content broke off. */
export async function fetchWhole(
  protocol: ProtocolName,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenAnswer & { readonly text: string; readonly whole: boolean }> {
  const exchange = begin(protocol, port, method, path, headers);
  exchange.upload.end();
  const answer = await exchange.answer();
  const blocks: Buffer[] = [];
  let whole = true;
  try {
    for await (const block of answer.body) blocks.push(block as Buffer);
  } catch {
    whole = false;
  }
  exchange.abandon();
  return { ...answer, text: Buffer.concat(blocks).toString('latin1'), whole };
}

function beginHttp1(port: number, method: string, path: string, headers: Readonly<Record<string, string>>) {
  const upload = request1({ port, host: '127.0.0.1', method, path, headers, agent: false });
  upload.on('error', () => {});
  const abandon = () => void upload.destroy();
  const answered = once(upload, 'response');
  answered.catch(() => {});
  const answer = async (): Promise<OpenAnswer> => {
    const [response] = await answered;
    return { status: response.statusCode, headers: response.headers, body: response, abandon };
  };
  return { upload, answer, abandon };
}

function beginHttp2(port: number, method: string, path: string, headers: Readonly<Record<string, string>>) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const endStream = false;
  const upload = session.request({ ':method': method, ':path': path, ...headers }, { endStream });
  upload.on('error', () => {});
  const abandon = () => session.destroy();
  upload.on('close', () => session.close());
  const answered = once(upload, 'response');
  answered.catch(() => {});
  const answer = async (): Promise<OpenAnswer> => {
    const [fields] = await answered;
    return { status: fields[':status'], headers: fields, body: upload, abandon: () => void upload.close(8) };
  };
  return { upload, answer, abandon };
}
