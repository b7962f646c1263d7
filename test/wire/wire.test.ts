import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Http1Server } from '../../src/http/http1/http1-server.ts';
import { DEFAULT_LIMITS } from '../../src/http/transport/limits.ts';
import { type Answer, valuesOf } from './answers.ts';
import { type ExpectedAnswer, readCases, type SeenRequest, type Step, type WireCase } from './case.ts';
import { type Cut, openWire, type Wire } from './client.ts';
import { createRecorder, textOf } from './recorder.ts';

const CASES = readCases(join(rootDirectory(), 'test/wire'));
const GOOD_REQUEST = 'GET /good HTTP/1.1\r\nHost: good\r\n\r\n';

/** A case with more octets is cut into longer pieces, so that a case about a limit does not take minutes. */
const BYTE_BY_BYTE_MAX = 4096;

const CUTS: Readonly<Record<string, (wireCase: WireCase) => Cut>> = {
  'in one packet': () => () => Number.POSITIVE_INFINITY,
  'byte by byte': (wireCase) => () => (lengthOf(wireCase) <= BYTE_BY_BYTE_MAX ? 1 : 251),
  'split at random': (wireCase) => randomCut(seedOf(wireCase.name), lengthOf(wireCase) <= BYTE_BY_BYTE_MAX ? 40 : 2000),
};

for (const kind of ['valid', 'invalid'] as const) {
  describe(`wire cases, ${kind}`, { concurrency: 8 }, () => {
    for (const wireCase of CASES.filter((each) => each.kind === kind)) {
      it(`does what the RFC says when it receives ${wireCase.name}`, async () => {
        for (const [how, cut] of Object.entries(CUTS)) {
          await runCase(wireCase, cut(wireCase)).catch((error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error);
            throw new Error(`${wireCase.kind}/${wireCase.name}, ${how}: ${reason}\n${wireCase.rule}`, { cause: error });
          });
        }
      });
    }
  });
}

async function runCase(wireCase: WireCase, cut: Cut): Promise<void> {
  const recorder = createRecorder();
  const failures: unknown[] = [];
  const connections = new Http1Server({
    handle: (request) => recorder.handle(request, () => assert.fail('nothing comes after the recorder')),
    limits: { ...DEFAULT_LIMITS, ...wireCase.limits },
    onAnswered: null,
    onError: (error) => failures.push(error),
  });
  const wire = await openWire((socket) => connections.accept(socket, 0));
  try {
    await converse(wireCase, wire, cut, recorder.seen);
    assert.deepEqual(failures, [], 'the engine failed');
  } finally {
    wire.close();
    connections.destroy();
  }
}

async function converse(wireCase: WireCase, { client, server }: Wire, cut: Cut, seen: SeenRequest[]): Promise<void> {
  const methods = wireCase.saw.map((request) => request.line.split(' ')[0] as string);
  await client.play(stepsOf(wireCase), server, cut, methods);
  const wanted = wireCase.answers.length;
  const answers = await client.until(
    ({ final }) => wireCase.connection !== 'closed' && final.length >= wanted,
    methods,
    wireCase.connection === 'closed' ? 'the server to close' : `answer ${wanted}`,
  );
  assert.equal(client.reset?.message, undefined, 'the connection was reset, so an answer may be lost');
  if (wireCase.interim !== 'any') assert.deepEqual(answers.interim, wireCase.interim, 'interim statuses');
  assert.deepEqual(simplified(seen, wireCase.saw), wireCase.saw, 'requests that the application saw');
  compareAnswers(answers.final, wireCase);
  assert.equal(answers.rest, '', 'octets after the last answer');
  if (wireCase.connection !== 'closed' && !client.ended) await askOnceMore(wireCase, { client, server }, seen);
  else assert.ok(client.ended, 'the server did not close');
  if (wireCase.connection === 'kept') assert.ok(!client.ended, 'the server closed');
  client.end();
}

/** Sends a further request on a kept connection. Its answer shows that the server found the right end of the last request. */
async function askOnceMore(
  wireCase: WireCase,
  wire: Pick<Wire, 'client' | 'server'>,
  seen: SeenRequest[],
): Promise<void> {
  const wanted = wireCase.answers.length + 1;
  const methods = [...wireCase.saw.map((request) => request.line.split(' ')[0] as string), 'GET'];
  await wire.client.play([{ do: 'send', octets: GOOD_REQUEST }], wire.server, () => GOOD_REQUEST.length, methods);
  const { final } = await wire.client.until((answers) => answers.final.length >= wanted, methods, 'one more answer');
  if (wireCase.connection === 'either' && wire.client.ended) return;
  assert.equal(final.at(-1)?.body, 'GET /good', 'the answer to a further request on the kept connection');
  assert.equal(seen.length, wireCase.saw.length + 1);
}

function compareAnswers(final: readonly Answer[], wireCase: WireCase): void {
  const expected = wireCase.answers.filter(
    (answer, index) => !(answer.statuses.includes(0) && final[index] === undefined),
  );
  const statuses = final.map((answer) => answer.status);
  assert.equal(final.length, expected.length, `statuses ${statuses.join(' ')}`);
  for (const [index, answer] of final.entries())
    compareAnswer(answer, expected[index] as ExpectedAnswer, wireCase.saw[index]);
  const refused = final.at(-1);
  if (wireCase.kind === 'invalid' && refused !== undefined && refused.status >= 400) {
    assert.deepEqual(valuesOf(refused.headers, 'connection'), ['close'], 'a refusal announces the close');
  }
}

function compareAnswer(answer: Answer, expected: ExpectedAnswer, request: SeenRequest | undefined): void {
  assert.ok(
    expected.statuses.includes(answer.status),
    `status ${answer.status}, expected ${expected.statuses.join('|')}`,
  );
  for (let i = 0; i < expected.headers.length; i += 2) {
    const name = expected.headers[i] as string;
    assert.deepEqual(valuesOf(answer.headers, name), [expected.headers[i + 1]], `field ${name} of the answer`);
  }
  for (const name of expected.without)
    assert.deepEqual(valuesOf(answer.headers, name), [], `field ${name} of the answer`);
  assert.equal(valuesOf(answer.headers, 'date').length, 1, 'an answer has one Date (RFC 9110 6.6.1)');
  const [method = '', target = ''] = request?.line.split(' ') ?? [];
  if (expected.body !== undefined) assert.equal(answer.body, expected.body);
  else if (answer.status === 200 && method !== 'HEAD') {
    assert.equal(answer.body, textOf({ method, path: target.replace(/\?.*/s, '') }));
  }
}

/** `seen` without the authority if the case does not check it. */
function simplified(seen: readonly SeenRequest[], expected: readonly SeenRequest[]): SeenRequest[] {
  return seen.map((request, index) =>
    expected[index]?.host === undefined ? { ...request, host: undefined } : request,
  );
}

function stepsOf(wireCase: WireCase): readonly Step[] {
  const last = wireCase.steps.at(-1);
  if (wireCase.kind === 'valid' || last?.do === 'end' || last?.do === 'stall') return wireCase.steps;
  return [...wireCase.steps, { do: 'send', octets: GOOD_REQUEST }];
}

function lengthOf(wireCase: WireCase): number {
  return wireCase.steps.reduce((sum, step) => sum + (step.do === 'send' ? step.octets.length : 0), 0);
}

function seedOf(name: string): number {
  let seed = 2166136261;
  for (let i = 0; i < name.length; i++) seed = Math.imul(seed ^ name.charCodeAt(i), 16777619);
  return seed >>> 0;
}

/** Pieces of 1 to `most` octets from a linear congruential generator: they are the same in each run. */
function randomCut(seed: number, most: number): Cut {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1 + ((state >>> 8) % most);
  };
}

/** The project's directory, for any location of the compiled tests. */
function rootDirectory(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory))
    directory = dirname(directory);
  return existsSync(join(directory, 'package.json')) ? directory : process.cwd();
}
