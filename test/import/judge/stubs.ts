import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { isMalformed } from '../../../src/cgi/params.ts';
import { readUwsgiPacket } from '../../../src/cgi/uwsgi.ts';
import type { Lifetime } from '../../support/lifetime.ts';

/** What a backend got. */
export interface Seen {
  readonly to: string;
  readonly method: string;
  readonly target: string;
  readonly sent: readonly (readonly [name: string, value: string])[];
}

/** Backends of generated configurations: each answers with what it got, and with 401 unless it got credentials. */
export interface Stubs {
  /** Addresses such as `127.0.0.1:8000` and `unix:/path`. */
  readonly http: readonly string[];
  readonly uwsgi: string;
}

/** The field that marks the answer of a backend. */
export const MARK = 'x-stub';

export async function startStubs(t: Lifetime, directory: string): Promise<Stubs> {
  const first = await startHttp(t, 0);
  const second = await startHttp(t, 0);
  const socket = await startHttp(t, join(directory, 'http.sock'));
  return { http: [first, second, socket], uwsgi: await startUwsgi(t, join(directory, 'uwsgi.sock')) };
}

/** Node's own HTTP server refuses methods and targets that nginx passes on, so this one only splits lines. */
async function startHttp(t: Lifetime, place: number | string): Promise<string> {
  const server = createServer((socket) => {
    let received = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (text) => {
      received += text;
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [first = '', ...lines] = received.slice(0, end).split('\r\n');
      const [, method = '', target = ''] = /^(\S*) (.*) HTTP\/1\.[01]$/s.exec(first) ?? [];
      const sent = lines.map((each) => {
        const at = each.indexOf(': ');
        return [each.slice(0, at), each.slice(at + 2)] as const;
      });
      const isRefused = !sent.some(([name]) => name === 'Authorization');
      const seen: Seen = { to: `http://${address}`, method, target, sent };
      const content = method === 'HEAD' ? '' : JSON.stringify(seen);
      socket.end(`HTTP/1.0 ${isRefused ? '401 Unauthorized' : '200 OK'}\r\n${MARK}: http\r\n\r\n${content}`);
    });
  });
  const address = await listen(t, server, place);
  return address;
}

async function startUwsgi(t: Lifetime, path: string): Promise<string> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      const packet = readUwsgiPacket(received, { countMax: 1000, bytesMax: 65_536 });
      if (packet === null) return;
      if (isMalformed(packet)) throw new Error('nginx sent a malformed packet');
      const sent = [...packet.variables].map(
        ([name, value]) => [name, Buffer.from(value, 'latin1').toString()] as const,
      );
      const target = packet.variables.get('REQUEST_URI') ?? '';
      const method = packet.variables.get('REQUEST_METHOD') ?? '';
      const seen: Seen = { to: `uwsgi://${address}`, method, target, sent };
      const status = packet.variables.has('HTTP_AUTHORIZATION') ? '200 OK' : '401 Unauthorized';
      socket.end(`HTTP/1.0 ${status}\r\n${MARK}: uwsgi\r\n\r\n${JSON.stringify(seen)}`);
    });
  });
  const address = await listen(t, server, path);
  return address;
}

async function listen(t: Lifetime, server: Server, place: number | string): Promise<string> {
  await new Promise<void>((resolve) => {
    if (typeof place === 'string') server.listen(place, () => resolve());
    else server.listen(place, '127.0.0.1', () => resolve());
  });
  t.after(() => void server.close());
  const address = server.address();
  return address === null || typeof address === 'string' ? `unix:${address}` : `127.0.0.1:${address.port}`;
}
