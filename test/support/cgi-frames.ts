import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { Connections } from '../../src/http/http1/http1-server.ts';
import type { Request } from '../../src/http/message.ts';
import type { Response } from '../../src/http/response.ts';
import { DEFAULT_LIMITS, type HttpLimits } from '../../src/http/transport/limits.ts';
import type { GatewayProtocol } from '../../src/listen/address.ts';
import { GatewayConnections } from '../../src/web/gateway/gateway-connections.ts';

export type Pairs = readonly (readonly [name: string, value: string])[];

/** What every request of a front has. */
export const USUAL: Pairs = [
  ['CONTENT_LENGTH', '0'],
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/'],
  ['PATH_INFO', '/'],
  ['QUERY_STRING', ''],
  ['SERVER_PROTOCOL', 'HTTP/1.1'],
  ['SERVER_NAME', 'test.example'],
  ['SERVER_PORT', '80'],
  ['REMOTE_ADDR', '192.0.2.7'],
  ['REMOTE_PORT', '4711'],
  ['HTTP_HOST', 'test.example'],
];

/** The usual variables with `changes`; '' as a value of `without` is none. */
export function variablesOf(changes: Readonly<Record<string, string | null>> = {}): Pairs {
  const all = new Map(USUAL);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) all.delete(name);
    else all.set(name, value);
  }
  return [...all];
}

/** A whole request of `protocol`, in latin-1. */
export function encodeRequest(protocol: GatewayProtocol, variables: Pairs, content = '', keep = false): string {
  switch (protocol) {
    case 'uwsgi': {
      const rest = variables.map(([name, value]) => u16(name.length) + name + u16(value.length) + value).join('');
      return `\0${u16(rest.length)}\0${rest}${content}`;
    }
    case 'scgi': {
      const rest = [...variables, ['SCGI', '1']].map(([name, value]) => `${name}\0${value}\0`).join('');
      return `${rest.length}:${rest},${content}`;
    }
    case 'fastcgi': {
      const pairs = variables.map(([name, value]) => length(name) + length(value) + name + value).join('');
      const stream = content === '' ? '' : record(5, content);
      return (
        record(1, `\0\x01${keep ? '\x01' : '\0'}\0\0\0\0\0`) + record(4, pairs) + record(4, '') + stream + record(5, '')
      );
    }
  }
}

/** A record of FastCGI with some padding. */
export function record(type: number, content: string, id = 1): string {
  const padding = content.length % 8;
  const head = String.fromCharCode(1, type, 0, id, content.length >> 8, content.length & 0xff, padding, 0);
  return head + content + '\0'.repeat(padding);
}

function u16(number: number): string {
  return String.fromCharCode(number & 0xff, number >> 8);
}

function length({ length: size }: string): string {
  if (size < 128) return String.fromCharCode(size);
  return String.fromCharCode(0x80 | (size >>> 24), (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff);
}

export interface Records {
  readonly stdout: string;
  readonly ended: boolean;
  /** Protocol status of the end. */
  readonly status: number;
  readonly types: readonly number[];
}

/** What records of FastCGI say, in latin-1. */
export function readRecords(octets: string): Records {
  let stdout = '';
  let ended = false;
  let status = -1;
  const types: number[] = [];
  const bytes = Buffer.from(octets, 'latin1');
  for (let at = 0; at + 8 <= bytes.length; ) {
    const [type = 0, size] = [bytes[at + 1], bytes.readUInt16BE(at + 4)];
    const content = bytes.subarray(at + 8, at + 8 + size);
    types.push(type);
    if (type === 6) stdout += content.toString('latin1');
    if (type === 3) {
      ended = true;
      status = content[4] ?? -1;
    }
    at += 8 + size + (bytes[at + 6] ?? 0);
  }
  return { stdout, ended, status, types };
}

export interface GatewayServer {
  readonly port: number;
  readonly requests: Request[];
  readonly refused: string[];
  readonly answered: number[];
  readonly connections: Connections;
  readonly gateway: GatewayConnections;
}

/** A server of `protocol` that answers with what `handle` returns. */
export async function serveGateway(
  t: TestContext,
  protocol: GatewayProtocol,
  handle: (request: Request) => Response | Promise<Response>,
  limits: Partial<HttpLimits> = {},
): Promise<GatewayServer> {
  const requests: Request[] = [];
  const refused: string[] = [];
  const answered: number[] = [];
  const connections = new Connections({
    limits,
    handle(request) {
      requests.push(request);
      return handle(request);
    },
    onAnswered: (_request, status) => answered.push(status),
    onError: () => {},
    onRefused: ({ reason }) => refused.push(reason),
  });
  const gateway = new GatewayConnections({
    http1: connections,
    limits: () => ({ ...DEFAULT_LIMITS, ...limits }),
    onRefused: (reason) => refused.push(reason),
  });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket: Socket) =>
    gateway.accept(socket, 0, protocol),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    gateway.destroy();
    connections.destroy();
  });
  return { port: (server.address() as AddressInfo).port, requests, refused, answered, connections, gateway };
}
