import { createHash } from 'node:crypto';
import type { BackendConnection } from './backend.ts';

/** The start of the response that grants a WebSocket. */
export const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

const CLOSE = 8;

/** A masked frame of a client (RFC 6455 section 5.2): text by default. */
export function clientFrame(text: string, opcode = 1): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const content = Buffer.from(text).map((byte, i) => byte ^ (mask[i % 4] as number));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | content.length]), mask, content]);
}

/** A WebSocket server that echoes each frame of less than 126 bytes, and closes after a Close frame. */
export function echoFrames(connection: BackendConnection): void {
  const headEnd = connection.received.indexOf('\r\n\r\n');
  if (headEnd >= 0) {
    const key = /sec-websocket-key: (\S+)/i.exec(connection.received)?.[1];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    connection.socket.write(`${SWITCH}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    connection.received = connection.received.slice(headEnd + 4);
  }
  for (;;) {
    const frame = Buffer.from(connection.received, 'latin1');
    const length = (frame[1] ?? 0) & 0x7f;
    if (frame.length < 6 + length) return;
    connection.received = connection.received.slice(6 + length);
    const content = frame.subarray(6, 6 + length).map((byte, i) => byte ^ (frame[2 + (i % 4)] as number));
    connection.socket.write(Buffer.concat([Buffer.from([frame[0] as number, length]), content]));
    if (((frame[0] as number) & 0xf) === CLOSE) connection.socket.end();
  }
}
