import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Http1Server } from '../../src/http/http1/http1-server.ts';
import { DEFAULT_LIMITS } from '../../src/http/transport/limits.ts';
import { readCases } from './case.ts';
import { type Cut, openWire } from './client.ts';
import { createRecorder } from './recorder.ts';

/** Number of mutants of the wire cases. The seed is fixed, so a failure can be reproduced. */
const MUTANTS = 1500;
const SEED = 9112;
const BASE_BYTES_MAX = 1500;

/** Octets that parsers often handle wrongly. */
const NASTY = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '%',
  '#',
  '?',
  '/',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  '-',
  '+',
  '_',
];
const NASTY_FIELDS = [
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  'Connection: close\r\n',
  'Expect: 100-continue\r\n',
];

describe('wire fuzz', () => {
  it('gives the same results for any octets when they are split into packets, and never fails or hangs', async () => {
    const random = generator(SEED);
    const bases = basesOf(join(rootDirectory(), 'test/wire'));
    for (let index = 0; index < MUTANTS; index++) {
      const base = bases[random() % bases.length] as string;
      // The line end lets the server judge a last line that the mutation cut short.
      const octets = `${mutate(base, random)}\r\n\r\n`;
      const whole = await converse(octets, () => octets.length);
      const most = 1 + (random() % 30);
      const split = await converse(octets, () => 1 + (random() % most));
      assert.deepEqual(split, whole, `mutant ${index}: ${JSON.stringify(octets)}`);
    }
  });
});

/** Sends `octets`, closes the sending half and returns everything that the application and the client saw. */
async function converse(octets: string, cut: Cut): Promise<{ seen: unknown; statuses: string[] }> {
  const recorder = createRecorder();
  const failures: unknown[] = [];
  const connections = new Http1Server({
    handle: (request) => recorder.handle(request, () => assert.fail('nothing comes after the recorder')),
    limits: DEFAULT_LIMITS,
    onAnswered: null,
    onError: (error) => failures.push(error),
  });
  const wire = await openWire((socket) => connections.accept(socket, 0));
  try {
    await wire.client.play([{ do: 'send', octets }, { do: 'end' }], wire.server, cut, []);
    await wire.client.untilEnded(`the server to close after ${JSON.stringify(octets)}`);
  } finally {
    wire.close();
    connections.destroy();
  }
  const context = JSON.stringify(octets);
  assert.deepEqual(failures, [], `the engine failed on ${context}`);
  assert.equal(wire.client.reset, null, `the connection was reset after ${context}`);
  const statuses = (wire.client.received.match(/^HTTP\/1\.1 [2-5]\d\d/gm) ?? []).map((line) => line.slice(-3));
  for (const status of statuses) assert.ok(KNOWN_STATUSES.has(status), `status ${status} after ${context}`);
  return { seen: recorder.seen, statuses };
}

const KNOWN_STATUSES = new Set(['200', '204', '304', '400', '405', '408', '413', '414', '417', '431', '501', '505']);

/** The octets of the short cases in which the application reads everything: their results do not depend on the packets. */
function basesOf(directory: string): string[] {
  return readCases(directory)
    .map((wireCase) => wireCase.steps.map((step) => (step.do === 'send' ? step.octets : '')).join(''))
    .filter((octets) => octets.length > 0 && octets.length <= BASE_BYTES_MAX && !/unread|refused/.test(octets));
}

function mutate(base: string, random: () => number): string {
  let octets = base;
  for (let times = 1 + (random() % 3); times > 0; times--) {
    const at = random() % (octets.length + 1);
    const length = 1 + (random() % 4);
    const before = octets.slice(0, at);
    switch (random() % 6) {
      case 0:
        octets = before + octets.slice(at + length);
        break;
      case 1:
        octets = before + pick(NASTY, random) + octets.slice(at);
        break;
      case 2:
        octets = before + pick(NASTY, random) + octets.slice(at + 1);
        break;
      case 3:
        octets = before + octets.slice(at, at + 20) + octets.slice(at);
        break;
      case 4:
        octets = before + String.fromCharCode(random() % 256) + octets.slice(at + 1);
        break;
      default: {
        const lineEnd = octets.indexOf('\r\n', at);
        if (lineEnd >= 0)
          octets = octets.slice(0, lineEnd + 2) + pick(NASTY_FIELDS, random) + octets.slice(lineEnd + 2);
      }
    }
  }
  return octets;
}

function pick(list: readonly string[], random: () => number): string {
  return list[random() % list.length] as string;
}

/** Numbers of 16 bits that are the same in each run. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 16;
  };
}

/** The project's directory, for any location of the compiled tests. */
function rootDirectory(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) {
    directory = dirname(directory);
  }
  return existsSync(join(directory, 'package.json')) ? directory : process.cwd();
}
