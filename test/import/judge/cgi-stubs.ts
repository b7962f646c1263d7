import { type AddressInfo, createServer, type Socket } from 'node:net';
import { readFastCgiParams } from '../../../src/cgi/fastcgi-params.ts';
import {
  END_REQUEST,
  PARAMS,
  RecordReader,
  recordHead,
  records,
  STDIN,
  STDOUT,
} from '../../../src/cgi/fastcgi-records.ts';
import { type CgiParams, isMalformed, type Malformed, type ReadCgiParams } from '../../../src/cgi/params.ts';
import { readScgiNetstring } from '../../../src/cgi/scgi.ts';
import { readUwsgiPacket } from '../../../src/cgi/uwsgi.ts';
import type { Lifetime } from '../../support/lifetime.ts';

export type CgiProtocol = 'uwsgi' | 'scgi' | 'fastcgi';

const LIMITS = { countMax: 1000, bytesMax: 65_536 };

/** Starts a backend that answers with the variables that it got, as JSON. Returns its address. */
export async function startCgiStub(t: Lifetime, protocol: CgiProtocol): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    if (protocol === 'fastcgi') answerFastCgi(socket);
    else answerPacket(socket, protocol === 'uwsgi' ? readUwsgiPacket : readScgiNetstring);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.after(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type ReadPacket = (bytes: Buffer, limits: typeof LIMITS) => ReadCgiParams | Malformed | null;

function answerPacket(socket: Socket, read: ReadPacket): void {
  let received = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    const packet = read(received, LIMITS);
    if (packet === null) return;
    if (isMalformed(packet)) throw new Error(`malformed: ${packet.reason}`);
    socket.end(answer(packet.variables), 'latin1');
  });
}

function answerFastCgi(socket: Socket): void {
  const params: Buffer[] = [];
  const reader = new RecordReader({
    content(type, id, block, left) {
      if (type === PARAMS) params.push(Buffer.from(block));
      if (type !== STDIN || block.length > 0 || left > 0) return;
      const variables = readFastCgiParams(Buffer.concat(params), LIMITS);
      if (isMalformed(variables)) throw new Error(`malformed: ${variables.reason}`);
      const end = recordHead(END_REQUEST, id, 8) + '\0'.repeat(8);
      socket.end(records(STDOUT, id, answer(variables)) + recordHead(STDOUT, id, 0) + end, 'latin1');
    },
  });
  socket.on('data', (bytes: Buffer) => reader.read(bytes));
}

function answer(variables: CgiParams): string {
  return `Status: 200 OK\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(Object.fromEntries(variables))}`;
}
