import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { CgiProtocol } from '../../../src/proxy/backend.ts';
import { startBackend } from '../../support/backend.ts';
import { record } from '../../support/cgi-frames.ts';
import { ask } from '../../support/http-client.ts';
import { createRandom } from '../../support/random.ts';
import { serveProxy } from '../../support/serve-proxy.ts';

const OK = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello';
const END = record(3, '\0\0\0\0\0\0\0\0');
const out = (text: string): string => record(6, text);

/** Starts a proxy and a backend that answers every request with `octets`, and then closes or waits. */
async function proxy(t: TestContext, protocol: CgiProtocol, octets: string, end: 'close' | 'wait' | 'reset') {
  const backend = await startBackend(t, {
    onData({ socket }) {
      socket.write(Buffer.from(octets, 'latin1'), () => {
        if (end === 'close') socket.end();
        else if (end === 'reset') socket.resetAndDestroy();
      });
    },
  });
  return serveProxy(t, [{ ...backend.backend, protocol }], {
    responseTimeoutMs: 200,
    idleTimeoutMs: 200,
  });
}

interface Case {
  readonly description: string;
  readonly protocols: readonly CgiProtocol[];
  readonly octets: string;
  readonly end?: 'close' | 'wait' | 'reset';
  readonly status: number;
  readonly body?: string;
  /** Must match the log. */
  readonly log?: RegExp;
}

const CGI = ['uwsgi', 'scgi'] as const;

const CASES: readonly Case[] = [
  { description: 'CGI fields', protocols: CGI, octets: OK, status: 200, body: 'hello' },
  {
    description: 'lines that end with LF',
    protocols: CGI,
    octets: 'Status: 201\nX-A: b\n\nhello',
    status: 201,
    body: 'hello',
  },
  {
    description: 'no Status',
    protocols: CGI,
    octets: 'Content-Type: text/plain\r\n\r\nhello',
    status: 200,
    body: 'hello',
  },
  { description: 'Location without Status', protocols: CGI, octets: 'Location: /there\r\n\r\n', status: 302, body: '' },
  {
    description: 'an HTTP status line',
    protocols: CGI,
    octets: 'HTTP/1.1 404 Nope\r\nContent-Length: 2\r\n\r\nno',
    status: 404,
    body: 'no',
  },
  {
    description: 'more than Content-Length',
    protocols: CGI,
    octets: 'Content-Length: 2\r\n\r\nhello',
    status: 200,
    body: 'he',
  },
  {
    description: 'nothing',
    protocols: CGI,
    octets: '',
    end: 'close',
    status: 502,
    log: /response: the connection closed before the response/,
  },
  {
    description: 'silence',
    protocols: CGI,
    octets: '',
    end: 'wait',
    status: 504,
    log: /response: no response in time/,
  },
  {
    description: 'a reset',
    protocols: CGI,
    octets: '',
    end: 'reset',
    status: 502,
    log: /response: the connection was (?:reset|closed)|closed before/,
  },
  { description: 'half a head', protocols: CGI, octets: 'Status: 200 OK\r\nConte', end: 'close', status: 502 },
  {
    description: 'half a head and silence',
    protocols: CGI,
    octets: 'Status: 200 OK\r\nConte',
    end: 'wait',
    status: 504,
  },
  {
    description: 'two Status fields',
    protocols: CGI,
    octets: 'Status: 200\r\nStatus: 404\r\n\r\n',
    status: 502,
    log: /Status field/,
  },
  { description: 'an invalid Status', protocols: CGI, octets: 'Status: OK\r\n\r\n', status: 502, log: /Status field/ },
  {
    description: 'a Status out of range',
    protocols: CGI,
    octets: 'Status: 999\r\n\r\n',
    status: 502,
    log: /Status field/,
  },
  {
    description: 'a Transfer-Encoding',
    protocols: CGI,
    octets: 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 502,
    log: /Transfer-Encoding/,
  },
  {
    description: 'two Content-Length fields',
    protocols: CGI,
    octets: 'Content-Length: 1\r\nContent-Length: 1\r\n\r\na',
    status: 502,
  },
  { description: 'an invalid field name', protocols: CGI, octets: 'X Y: 1\r\n\r\n', status: 502 },
  { description: 'a folded field', protocols: CGI, octets: 'X: 1\r\n 2\r\n\r\n', status: 502 },
  { description: 'a NUL in a field', protocols: CGI, octets: 'X: a\0b\r\n\r\n', status: 502 },
  { description: 'no field at all', protocols: CGI, octets: 'hello, this is no head\r\n\r\n', status: 502 },
  {
    description: 'an endless head',
    protocols: CGI,
    octets: `X: ${'a'.repeat(100_000)}`,
    end: 'wait',
    status: 502,
    log: /too long/,
  },
  {
    description: 'records',
    protocols: ['fastcgi'],
    octets: out(OK) + out('') + END,
    end: 'wait',
    status: 200,
    body: 'hello',
  },
  {
    description: 'records of one byte',
    protocols: ['fastcgi'],
    octets: [...OK].map(out).join('') + END,
    end: 'wait',
    status: 200,
    body: 'hello',
  },
  {
    description: 'errors beside the output',
    protocols: ['fastcgi'],
    octets: record(7, 'oh no\n') + out(OK) + END,
    status: 200,
    body: 'hello',
  },
  {
    description: 'another version',
    protocols: ['fastcgi'],
    octets: '\x02\x06\0\x01\0\0\0\0',
    status: 502,
    log: /version 2/,
  },
  { description: 'HTTP', protocols: ['fastcgi'], octets: 'HTTP/1.1 200 OK\r\n\r\n', status: 502, log: /version 72/ },
  {
    description: 'a record of another request',
    protocols: ['fastcgi'],
    octets: record(6, OK, 9),
    status: 502,
    log: /request 9/,
  },
  {
    description: 'a record of another type',
    protocols: ['fastcgi'],
    octets: record(9, 'x'),
    status: 502,
    log: /type 9/,
  },
  {
    description: 'that it is overloaded',
    protocols: ['fastcgi'],
    octets: record(3, '\0\0\0\0\x02\0\0\0'),
    status: 502,
    log: /overloaded/,
  },
  {
    description: 'an end that is too short',
    protocols: ['fastcgi'],
    octets: record(3, '\0'),
    status: 502,
    log: /eight bytes/,
  },
  { description: 'an end without a response', protocols: ['fastcgi'], octets: END, end: 'wait', status: 502 },
  {
    description: 'records after the end',
    protocols: ['fastcgi'],
    octets: out(OK) + END + out('more'),
    status: 502,
    log: /follow the end/,
  },
  { description: 'half a record', protocols: ['fastcgi'], octets: out(OK).slice(0, 20), end: 'close', status: 502 },
  {
    description: 'silence within a record',
    protocols: ['fastcgi'],
    octets: out(OK).slice(0, 20),
    end: 'wait',
    status: 504,
  },
];

describe('a backend with a CGI protocol', { concurrency: 8 }, () => {
  for (const { description, protocols, octets, end = 'close', status, body, log } of CASES) {
    for (const protocol of protocols) {
      it(`causes status ${status} when it answers over ${protocol} with ${description}`, async (t) => {
        const started = await proxy(t, protocol, octets, end);
        const answer = await ask(started.port, '/');
        assert.equal(answer.status, status, started.failures.join('\n'));
        if (body !== undefined) assert.equal(answer.body, body);
        if (status >= 500)
          assert.match(
            started.failures[0] ?? '',
            /^Cannot get a response from backend "(?:uwsgi|scgi|fastcgi):\/\/127\.0\.0\.1:\d+": /,
          );
        if (log !== undefined) assert.match(started.failures[0] ?? '', log);
      });
    }
  }

  for (const [protocol, octets] of [
    ['uwsgi', 'Content-Length: 100\r\n\r\npart'],
    ['scgi', 'Content-Length: 100\r\n\r\npart'],
    ['fastcgi', out('Content-Length: 100\r\n\r\npart') + END],
    ['fastcgi', out('Content-Type: text/plain\r\n\r\npart')],
  ] as const) {
    it(`has its response broken off over ${protocol} when the content is incomplete: ${JSON.stringify(octets.slice(-20))}`, async (t) => {
      const started = await proxy(t, protocol, octets, 'close');
      const answer = await ask(started.port, '/').catch(() => null);
      assert.notEqual(answer?.whole, true);
    });
  }

  it('receives no request whose variables do not fit into a uwsgi packet', async (t) => {
    const started = await proxy(t, 'uwsgi', OK, 'close');
    started.connections.reconfigure({ limits: { headerBytesMax: 200_000 } });
    const answer = await ask(started.port, '/', { headers: [['X-Long', 'v'.repeat(70_000)]] });
    assert.equal(answer.status, 431);
  });

  for (const protocol of ['uwsgi', 'scgi', 'fastcgi'] as const) {
    it(`never blocks the proxy over ${protocol}, whatever it sends`, async (t) => {
      const random = createRandom(1996);
      const base = protocol === 'fastcgi' ? out(OK) + out('') + END : OK;
      const backend = await startBackend(t, {
        onData({ socket }) {
          const bytes = Buffer.from(base, 'latin1');
          for (let change = 0; change < random() * 4; change += 1)
            bytes[Math.floor(random() * bytes.length)] = random() * 256;
          const end = random() < 0.3 ? Math.floor(random() * bytes.length) : bytes.length;
          socket.write(bytes.subarray(0, end), () => (random() < 0.8 ? socket.end() : socket.resetAndDestroy()));
        },
      });
      const started = await serveProxy(t, [{ ...backend.backend, protocol }], {
        responseTimeoutMs: 300,
        idleTimeoutMs: 300,
      });
      let answered = 0;
      for (let round = 0; round < 40; round += 1) {
        const answers = await Promise.allSettled(Array.from({ length: 10 }, () => ask(started.port, '/')));
        answered += answers.filter(({ status }) => status === 'fulfilled').length;
      }
      assert.ok(answered > 200, `${answered} of 400`);
      assert.deepEqual(
        started.errors.filter((message) => !/Cannot complete a response/.test(message)),
        [],
      );
    });
  }
});
