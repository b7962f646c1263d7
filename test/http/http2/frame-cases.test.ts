import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Response } from '../../../src/http/response.ts';
import { callsOf } from '../../support/http2-calls.ts';
import {
  CONTINUATION,
  END_HEADERS,
  FrameClient,
  frame,
  HEADERS,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  SETTINGS,
} from '../../support/http2-frames.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { ROOT } from '../../support/viaduct.ts';

/** A frame as the cases describe it. Each type of frames has some of the fields of `frame_payload`. */
interface Case {
  readonly description: string;
  readonly wire: string;
  readonly error: readonly number[] | null;
  readonly frame: {
    readonly length: number;
    readonly flags: number;
    readonly type: number;
    readonly stream_identifier: number;
    readonly frame_payload: Payload;
  } | null;
}

interface Payload {
  readonly data?: string;
  readonly padding_length?: number | null;
  readonly header_block_fragment?: string;
  readonly stream_dependency?: number | null;
  readonly error_code?: number;
  readonly last_stream_id?: number;
  readonly opaque_data?: string;
  readonly settings?: readonly (readonly [number, number])[];
  readonly window_size_increment?: number;
}

const directory = join(ROOT, 'test/http/http2/frame-cases');
const cases = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => [name, JSON.parse(readFileSync(join(directory, name), 'utf8')) as Case] as const);

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** The calls that a frame makes, from its description. A server takes no PUSH_PROMISE (RFC 9113 section 8.4). */
function callsFor({
  type,
  length,
  stream_identifier: id,
  frame_payload: payload,
}: NonNullable<Case['frame']>): readonly string[] {
  const padding = payload.padding_length == null ? 0 : payload.padding_length + 1;
  switch (type) {
    case 0:
      return [`data ${id} of ${length}`, `content ${id} "${payload.data}"`, `over ${id} padding ${padding}`];
    case HEADERS:
      return [`headers ${id} "${payload.header_block_fragment}" ${payload.stream_dependency ?? -1}`];
    case 2:
      return [`priority ${id} ${payload.stream_dependency}`];
    case 3:
      return [`reset ${id} ${payload.error_code}`];
    case SETTINGS:
      return [`settings ${payload.settings?.map(([key, value]) => hex(key, 4) + hex(value, 8)).join(' ')}`];
    case PUSH_PROMISE:
      return [`violation ${PROTOCOL_ERROR}`];
    case 6:
      return [`ping ${payload.opaque_data}`];
    case 7:
      return [`goaway ${payload.last_stream_id} ${payload.error_code}`];
    case 8:
      return [`window ${id} ${payload.window_size_increment}`];
    default:
      return [`headers ${id} "start ${payload.header_block_fragment} end" -1`];
  }
}

describe('a frame of the cases from outside', () => {
  const suite = suiteLifetime();
  let server: TestServer;

  before(async () => {
    server = await serveHandler(suite, () => Response.text(200, 'fine\n'), { protocol: 'HTTP/2' });
  });

  it('is one of 34', () => {
    assert.equal(cases.length, 34);
  });

  for (const [name, { description, wire, frame: said, error }] of cases) {
    if (said === null) {
      it(`ends the connection: ${name}, ${description}`, async () => {
        const client = await FrameClient.open(server.port);
        client.send(Buffer.from(wire, 'hex'));
        const code = await client.untilClosed();
        assert.ok(error?.includes(code), `the code is ${code}`);
      });
    } else {
      it(`says what it should: ${name}, ${description}`, () => {
        const { type, stream_identifier: id } = said;
        const bytes = [frame(SETTINGS, 0, 0), Buffer.from(wire, 'hex')];
        if (type === CONTINUATION) {
          bytes.splice(1, 0, frame(HEADERS, 0, id, 'start '));
          bytes.push(frame(CONTINUATION, END_HEADERS, id, ' end'));
        }
        assert.deepEqual(callsOf(Buffer.concat(bytes), [], 100_000, false), ['settings', ...callsFor(said)]);
      });
    }
  }
});
