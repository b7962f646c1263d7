import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { Probe } from '../../../src/import/check/outcome.ts';

/** What nginx sent. Null is a connection that it closed without a response. */
export interface RealResponse {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** The address of this machine that stands for all that have no server of their own. */
const ANY_ADDRESS = '127.0.0.9';

/** What a client sends that a password and an authorization service accept. */
const PASSWORD = `Basic ${Buffer.from('user:secret').toString('base64')}`;

export async function askNginx(probe: Probe): Promise<RealResponse | null> {
  const socket = await open(probe);
  const fields = probe.authorized ? [...probe.fields, ['Authorization', PASSWORD] as const] : probe.fields;
  const lines = [...fields, ['Connection', 'close'] as const].map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(Buffer.from(`${probe.method} ${probe.target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'utf8'));
  const blocks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    socket.on('data', (bytes: Buffer) => void blocks.push(bytes));
    socket.on('close', () => resolve());
    socket.on('error', () => socket.destroy());
  });
  const bytes = Buffer.concat(blocks);
  return bytes.length === 0 ? null : readResponse(bytes);
}

/** One for all connections, because making it takes longer than the rest of a request. The server has a certificate of its own. */
const TLS = createSecureContext();

function open({ address, secure, client }: Probe): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(placeOf(address, client));
    socket.once('error', reject);
    socket.once('connect', () => {
      if (!secure) return resolve(socket);
      const tls = connectTls({ socket, secureContext: TLS, rejectUnauthorized: false });
      tls.once('error', reject);
      tls.once('secureConnect', () => resolve(tls));
    });
  });
}

function placeOf(address: string, localAddress: string) {
  if (address.startsWith('unix:')) return { path: address.slice(5) };
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  return { host: host === '0.0.0.0' ? ANY_ADDRESS : host, port: Number(port), localAddress };
}

function readResponse(bytes: Buffer): RealResponse {
  const end = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const fields = lines.map((each) => {
    const at = each.indexOf(':');
    return [each.slice(0, at).toLowerCase(), Buffer.from(each.slice(at + 1).trim(), 'latin1').toString()] as const;
  });
  const isChunked = fields.some(([name]) => name === 'transfer-encoding');
  const body = bytes.subarray(end + 4);
  return { status: Number(statusLine.split(' ')[1]), fields, body: isChunked ? unchunked(body) : body };
}

function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.toString('latin1', at, end), 16);
    if (!(length > 0)) break;
    parts.push(body.subarray(end + 2, end + 2 + length));
    at = end + 4 + length;
  }
  return Buffer.concat(parts);
}
