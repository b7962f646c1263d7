import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/viaduct.ts';

const { readH2load, readSTime } = await import(pathToFileURL(join(ROOT, 'bench/load.mjs')).href);

interface Counts {
  failed?: number;
  errored?: number;
  timeout?: number;
  statuses?: string;
  protocol?: string;
}

/** A report in the form of h2load 1.52. */
function report({ failed = 0, errored = 0, timeout = 0, statuses = '90 2xx, 0 3xx, 0 4xx, 0 5xx', protocol }: Counts) {
  return `starting benchmark...
TLS Protocol: TLSv1.3
Application protocol: ${protocol ?? 'h2'}

finished in 1.00s, 90.00 req/s, 7.43KB/s
requests: 90 total, 106 started, 90 done, 90 succeeded, ${failed} failed, ${errored} errored, ${timeout} timeout
status codes: ${statuses}
traffic: 7.43KB (7612) total, 1.20KB (1230) headers (space savings 90.00%), 2.29KB (2340) data
`;
}

test('counts the requests that h2load saw answered with success', () => {
  assert.deepEqual(readH2load(report({})), { requests: 90, bytes: 0, failure: null });
});

test('a measurement by HTTP/2 does not count when a request failed in whatever way', () => {
  const cases: [Counts, string][] = [
    [{ failed: 2 }, '2 × failed'],
    [{ errored: 3 }, '3 × errored'],
    [{ timeout: 1 }, '1 × timeout'],
    [{ statuses: '89 2xx, 1 3xx, 0 4xx, 0 5xx' }, '1 × status'],
    [{ statuses: '87 2xx, 0 3xx, 1 4xx, 2 5xx' }, '3 × status'],
    [{ statuses: '0 2xx, 0 3xx, 0 4xx, 0 5xx' }, 'no request was answered'],
    [{ protocol: 'http/1.1' }, 'the protocol is "http/1.1" and not HTTP/2'],
  ];
  for (const [counts, failure] of cases) assert.equal(readH2load(report(counts)).failure, failure);
  assert.throws(() => readH2load('Segmentation fault'), /Cannot read what h2load wrote/);
});

test('a measurement of resumed handshakes does not count when one was full or an answer was cut', () => {
  const resumed = (letters: string, bytes: number) =>
    `\n\nNow timing with session id reuse.\nstarting\n${letters}\n\n3 connections in 0.01s; 300.00 connections/user sec, bytes read ${bytes}\n3 connections in 2 real seconds, 157 bytes read per connection\n`;
  assert.deepEqual(readSTime(resumed('rrr', 471)), { requests: 3, failure: null });
  assert.equal(readSTime(resumed('r*t', 471)).failure, '2 × full handshake');
  assert.equal(readSTime(resumed('rrr', 470)).failure, 'the answers have different lengths');
  assert.equal(readSTime(resumed('rrr', 0)).failure, 'no request was answered');
  assert.throws(() => readSTime('connect: Connection refused'), /Cannot read what openssl wrote/);
});
