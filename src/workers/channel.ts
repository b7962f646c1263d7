import type { Socket } from 'node:net';
import type { FromPython, ToPython } from './messages.ts';
import { parseMessage } from './parse-message.ts';

/** Longest message. `channel.py` shortens texts, so that its messages are shorter. */
const MESSAGE_BYTES_MAX = 4_194_304;

/** Sends `message`. A closed socket drops it; its close event is handled elsewhere. */
export function sendMessage(socket: Socket, message: ToPython): void {
  if (!socket.writable) return;
  const json = Buffer.from(JSON.stringify(message), 'utf8');
  const data = Buffer.allocUnsafe(4 + json.length);
  data.writeUInt32LE(json.length, 0);
  json.copy(data, 4);
  socket.write(data);
}

/**
 * Calls `onMessage` for each message of `socket`, until the returned function is called. Calls `onWrong` with a reason
 * for the first bytes that are not a message, and then no function any more.
 */
export function readMessages(
  socket: Socket,
  onMessage: (message: FromPython) => void,
  onWrong: (reason: string) => void,
): () => void {
  let received: Buffer = Buffer.alloc(0);
  let reading = true;
  function stop(): void {
    reading = false;
    socket.off('data', onData);
  }
  function refuse(reason: string): void {
    stop();
    onWrong(reason);
  }
  function onData(data: Buffer): void {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    while (reading && received.length >= 4) {
      const length = received.readUInt32LE(0);
      if (length > MESSAGE_BYTES_MAX) {
        refuse(`it announced a message of ${length} bytes`);
        return;
      }
      if (received.length < 4 + length) return;
      const message = parseMessage(received.toString('utf8', 4, 4 + length));
      if (message === null) {
        refuse('it sent something that is not a message');
        return;
      }
      received = received.subarray(4 + length);
      onMessage(message);
    }
    if (!reading && received.length > 0) socket.unshift(received); // for the next reader of the socket
  }
  socket.on('data', onData);
  return stop;
}
