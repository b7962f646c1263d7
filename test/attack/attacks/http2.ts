import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  HEADERS,
  PING,
  RST_STREAM,
  request,
  SETTINGS,
  section,
  setting,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { type Attack, together } from './attack.ts';

const CLIENTS = 20;
const INITIAL_WINDOW_SIZE = 4;
const CANCEL = '\0\0\0\x08';

/** Sends a flood until the server ends the connection. */
function flood(name: string, promise: string, start: Buffer[], each: (index: number) => Buffer): Attack {
  return {
    name,
    promise,
    run: (target) =>
      together(CLIENTS, async () => {
        const client = await FrameClient.open(target.door('http2') as number);
        client.send(...start);
        for (let index = 0; index < 50_000 && !client.closed; index += 100) {
          client.send(...Array.from({ length: 100 }, (_, offset) => each(index + offset)));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await client.untilClosed();
      }),
  };
}

/** Opens streams with large responses and takes nothing of them. */
function stalled(name: string, path: string, streams: number, window: number): Attack {
  return {
    name,
    promise: 'A client that opens streams and reads nothing is cut off, and takes a bounded part of the memory.',
    run: (target) =>
      together(CLIENTS, async () => {
        const client = await FrameClient.open(target.door('http2') as number, setting(INITIAL_WINDOW_SIZE, window));
        if (window > 0) client.socket.pause();
        client.send(
          ...Array.from({ length: streams }, (_, index) => request(2 * index + 1, fields({ ':path': path }))),
        );
        await new Promise((resolve) => setTimeout(resolve, 2500));
        client.close();
      }),
  };
}

/** Breaks a connection in one way while streams are open. */
function broken(name: string, octets: Buffer, streams = 10): Attack {
  return {
    name: `${name} while streams are open`,
    promise: 'After each error of a connection or stream no descriptor and no stream stays.',
    run: (target) =>
      together(CLIENTS, async (client) => {
        const frames = await FrameClient.open(target.door('http2') as number);
        for (let index = 0; index < streams; index += 1) {
          const path = ['/large/4', '/token/open/200', '/files/page.txt', '/proxied/a'][(index + client) % 4] as string;
          frames.send(request(2 * index + 1, fields({ ':path': path })));
        }
        frames.send(request(2 * streams + 1, fields({ ':method': 'POST', ':path': '/token/upload/0' }), END_HEADERS));
        frames.send(octets);
        if (client % 2 === 0) frames.socket.end();
        await new Promise((resolve) => setTimeout(resolve, 100));
        frames.close();
      }),
  };
}

/** Attacks over HTTP/2. */
export const HTTP2_ATTACKS: readonly Attack[] = [
  flood('rapid reset', 'A flood of streams that are reset at once ends the connection.', [], (index) =>
    Buffer.concat([request(2 * index + 1, fields({ ':path': '/fine' })), frame(RST_STREAM, 0, 2 * index + 1, CANCEL)]),
  ),
  flood('pings', 'A flood of PING ends the connection.', [], () => frame(PING, 0, 0, '12345678')),
  flood('settings', 'A flood of SETTINGS ends the connection.', [], () => setting(INITIAL_WINDOW_SIZE, 65_535)),
  flood(
    'continuations',
    'A header section without an end ends the connection.',
    [frame(HEADERS, END_STREAM, 1, section(fields()))],
    (index) => frame(CONTINUATION, 0, 1, section([[`x-${index}`, 'y']])),
  ),
  flood(
    'empty data',
    'A flood of empty DATA frames ends the connection.',
    [request(1, fields({ ':method': 'POST', ':path': '/token/empty/0' }), END_HEADERS)],
    () => frame(DATA, 0, 1),
  ),
  flood(
    'window updates',
    'A window above 2^31-1 ends the connection.',
    [request(1, fields({ ':path': '/large/1' }))],
    () => windowUpdate(0, 0x7fffffff),
  ),
  stalled('streams with an empty window', '/large/16', 100, 0),
  stalled('streams whose client does not read', '/large/16', 100, 0x7fffffff),
  stalled('files whose client does not read', '/files/page.txt', 100, 0x7fffffff),
  broken('an unknown length', frame(SETTINGS, 0, 0, '123')),
  broken('a wrong stream', frame(DATA, 0, 2, 'x')),
  broken('broken compression', frame(HEADERS, END_HEADERS | END_STREAM, 101, '\xff\xff\xff\xff\xff')),
  broken('a frame that is too large', frame(DATA, 0, 21, 'x'.repeat(20_000))),
  broken('a window above its limit', windowUpdate(1, 0x7fffffff)),
  broken('an interleaved header section', Buffer.concat([frame(HEADERS, 0, 101, 'x'), frame(PING, 0, 0, '12345678')])),
  broken('a sudden end', Buffer.alloc(0)),
];
