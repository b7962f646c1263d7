import type { Socket } from 'node:net';

/**
 * Control messages between the front and Python: JSON objects, each behind its length as a 32-bit little-endian number.
 * `channel.py` is the other end.
 */
export type ToPython =
  | { readonly kind: 'fork' | 'kill'; readonly worker: number }
  | { readonly kind: 'quit' }
  | { readonly kind: 'proof'; readonly data: string }
  | { readonly kind: 'go'; readonly hands_over: boolean }
  | { readonly kind: 'recall'; readonly lane: number }
  | { readonly kind: 'gone' | 'opened'; readonly lane: number; readonly request: number };

export type FromPython =
  | { readonly kind: 'zygote'; readonly release: number; readonly pid: number; readonly version: string }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'broken'; readonly traceback: string; readonly reason: string }
  | { readonly kind: 'forked'; readonly worker: number; readonly pid: number }
  | { readonly kind: 'exited'; readonly worker: number; readonly code: number }
  | { readonly kind: 'worker'; readonly release: number; readonly worker: number; readonly pid: number }
  | { readonly kind: 'proof'; readonly decoded: unknown; readonly descriptor: number; readonly size: number }
  | { readonly kind: 'lane'; readonly release: number; readonly worker: number; readonly index: number }
  | { readonly kind: 'log'; readonly text: string; readonly request: number | null };

/** Sends `message`. A socket that is already closed drops it: its close event is what matters then. */
export function sendMessage(socket: Socket, message: ToPython): void {
  if (!socket.writable) return;
  const json = Buffer.from(JSON.stringify(message), 'utf8');
  const data = Buffer.allocUnsafe(4 + json.length);
  data.writeUInt32LE(json.length, 0);
  json.copy(data, 4);
  socket.write(data);
}

/** Calls `onMessage` for each message of `socket`, until the function that it returns is called. */
export function readMessages(socket: Socket, onMessage: (message: FromPython) => void): () => void {
  let rest: Buffer = Buffer.alloc(0);
  let reading = true;
  function onData(data: Buffer): void {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    while (reading && rest.length >= 4) {
      const end = 4 + rest.readUInt32LE(0);
      if (rest.length < end) return;
      const message = JSON.parse(rest.toString('utf8', 4, end)) as FromPython;
      rest = rest.subarray(end);
      onMessage(message);
    }
    if (!reading && rest.length > 0) socket.unshift(rest); // for whoever reads on
  }
  socket.on('data', onData);
  return () => {
    reading = false;
    socket.off('data', onData);
  };
}
