import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../support/viaduct.ts';

const run = promisify(execFile);

/** What a program of the benchmark prints about a server that answers as `answer` does. */
async function measure(program: string, answer: RequestListener, args: readonly string[]) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = String((server.address() as AddressInfo).port);
  try {
    const { stdout } = await run(process.execPath, [join(ROOT, 'bench', program), port, ...args], { timeout: 60_000 });
    return JSON.parse(stdout);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Linux has all of them, other systems only 127.0.0.1. */
const FEW_ADDRESSES = process.platform === 'linux' ? false : 'not all addresses of 127/8 are there';
const addressOf = ({ socket }: IncomingMessage) => socket.remoteAddress ?? '';

test('openloop counts answers, 503 with and without Retry-After, and failures for each group of clients', {
  skip: FEW_ADDRESSES,
}, async () => {
  const addresses = new Set<string>();
  let refused = 0;
  const answer: RequestListener = (request, response) => {
    addresses.add(addressOf(request));
    if (request.url === '/good') response.end('done');
    else if (request.url === '/bad') response.writeHead(500).end();
    else response.writeHead(503, refused++ % 2 === 0 ? { 'Retry-After': '1' } : {}).end();
  };
  const groups = [
    { rate: 100, path: '/good', clients: 3, first: 2 },
    { rate: 100, path: '/refused', clients: 1, first: 100 },
    { rate: 100, path: '/bad', clients: 1, first: 258 },
  ];
  const { groups: found } = await measure('openloop.mjs', answer, ['1', JSON.stringify(groups)]);
  const [good, none, bad] = found;
  assert.ok(good.sent > 0 && none.sent > 0 && bad.sent > 0);
  assert.deepEqual([good.answered, good.refused, good.failed], [good.sent, 0, 0]);
  assert.deepEqual([none.answered, none.refused, none.withoutRetryAfter], [0, none.sent, none.sent >> 1]);
  assert.equal(bad.failed, bad.sent);
  assert.ok(good.p50 <= good.p99 && none.refusalP99 > 0);
  assert.deepEqual([...addresses].sort(), ['127.0.0.100', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.1.2']);
});

test('openloop asks for the slow path each so many times', async () => {
  const paths: (string | undefined)[] = [];
  const answer: RequestListener = (request, response) => {
    paths.push(request.url);
    response.end();
  };
  const group = { rate: 200, path: '/fast', every: 10, slowPath: '/slow' };
  const { groups } = await measure('openloop.mjs', answer, ['1', JSON.stringify([group])]);
  assert.equal(paths.filter((path) => path === '/slow').length, Math.floor(groups[0].sent / 10));
});

test('transfer repeats whole requests with content in both directions', async () => {
  const received: number[] = [];
  const answer: RequestListener = async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    received.push(bytes);
    response.end('x'.repeat(100_000));
  };
  const { requests, failure } = await measure('transfer.mjs', answer, ['POST', '/', '3000000', '0.2']);
  assert.equal(failure, null);
  assert.ok(requests > 0);
  assert.deepEqual(received, Array(requests).fill(3_000_000));
});

test('transfer says what was wrong with a response', async () => {
  const cases: [RequestListener, RegExp][] = [
    [(_, response) => response.writeHead(404).end('no'), /the response is "HTTP\/1\.1 404 Not Found/],
    [(_, response) => response.write('x') && response.end('y'), /the response is "HTTP\/1\.1 200 OK/],
    [(request) => request.socket.destroy(), /the connection was closed|ECONNRESET/],
  ];
  for (const [answer, failure] of cases) {
    const found = await measure('transfer.mjs', answer, ['GET', '/', '0', '1']);
    assert.match(found.failure, failure);
    assert.equal(found.requests, 0);
  }
});
