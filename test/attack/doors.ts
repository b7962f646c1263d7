import { connect as connectTls } from 'node:tls';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { END_STREAM, FrameClient, fields, HEADERS, request } from '../support/http2-frames.ts';
import { SocketClient } from '../support/socket-client.ts';

/** The protocols by which the program under attack takes requests. */
export const DOOR_NAMES = ['http1', 'http2', 'tls', 'proxy-protocol', 'uwsgi', 'fastcgi', 'scgi'] as const;
export type DoorName = (typeof DOOR_NAMES)[number];
/** The protocols that a client of raw octets can speak. */
export type FuzzedDoor = Exclude<DoorName, 'tls'>;
export const FUZZED_DOORS = DOOR_NAMES.filter((name): name is FuzzedDoor => name !== 'tls');

const HTTP1_REQUEST = 'GET /fine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const PROXY_HEADER = 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n';

/** Sends one ordinary request. Returns whether the application answered it. */
export async function answersOver(name: DoorName, address: number | string): Promise<boolean> {
  try {
    if (name === 'http2') return await answersFrames(address as number);
    if (name === 'tls') return await answersTls(address as string);
    const client = await SocketClient.open(address);
    client.send(ordinaryRequest(name));
    await client.until(/fine\n/);
    client.close();
    return true;
  } catch {
    return false;
  }
}

/** The octets of an ordinary request over a protocol that needs no handshake. */
export function ordinaryRequest(name: Exclude<DoorName, 'http2' | 'tls'>): string {
  switch (name) {
    case 'http1':
      return HTTP1_REQUEST;
    case 'proxy-protocol':
      return PROXY_HEADER + HTTP1_REQUEST;
    default:
      return encodeRequest(name, variablesOf({ REQUEST_URI: '/fine', PATH_INFO: '/fine' }));
  }
}

async function answersFrames(port: number): Promise<boolean> {
  const client = await FrameClient.open(port);
  client.send(request(1, fields({ ':path': '/fine' })));
  await client.until('the end', ({ id, flags, type }) => id === 1 && type !== HEADERS && (flags & END_STREAM) !== 0);
  client.close();
  return true;
}

function answersTls(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ path, rejectUnauthorized: false, servername: 'localhost' }, () =>
      socket.write(HTTP1_REQUEST),
    );
    socket.on('data', (block: Buffer) => {
      if (!block.toString('latin1').includes('200 OK')) return;
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
