import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { DnsClient } from '../../../src/proxy/discovery/dns-client.ts';
import { decodeAnswer, encodeQuery } from '../../../src/proxy/discovery/dns-message.ts';
import { freePort } from '../../support/peer.ts';
import { createRandom } from '../../support/random.ts';

const QUESTION = encodeQuery(7, 'app.test', 'A') as Buffer;
const POINTER = '\xc0\x0c';
/** An A record of app.test. */
const RECORD = `${POINTER}\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01`;

function answer(records: string, count: number, flags = '\x81\x80'): Buffer {
  const head = `\0\x07${flags}\0\x01\0${String.fromCharCode(count)}\0\0\0\0`;
  return Buffer.concat([Buffer.from(head, 'latin1'), QUESTION.subarray(12), Buffer.from(records, 'latin1')]);
}

describe('a DNS answer', () => {
  it('is decoded when it answers the question', () => {
    const read = decodeAnswer(answer(RECORD, 1), 'App.Test.', 'A');
    assert.deepEqual(
      read?.records.map(({ name, type, ttl, data }) => [name, type, ttl, data]),
      [['app.test', 'A', 60, '10.0.0.1']],
    );
  });

  it('is decoded when the name does not exist or the answer is truncated', () => {
    assert.equal(decodeAnswer(answer('', 0, '\x81\x83'), 'app.test', 'A')?.code, 3);
    assert.equal(decodeAnswer(answer('garbage', 9, '\x83\x80'), 'app.test', 'A')?.truncated, true);
  });

  for (const [description, bytes] of [
    ['is empty', Buffer.alloc(0)],
    ['is a query', QUESTION],
    ['answers another name', answer(RECORD, 1).fill('x', 13, 16)],
    ['has fewer records than its header claims', answer(RECORD, 2)],
    ['has a name that points to itself', answer('\xc0\x1a\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01', 1)],
    ['has a name that points forwards', answer('\xc0\xff\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01', 1)],
    ['has an address of three bytes', answer(`${POINTER}\0\x01\0\x01\0\0\0\x3c\0\x03\x0a\0\0`, 1)],
    ['has data past its end', answer(`${POINTER}\0\x01\0\x01\0\0\0\x3c\xff\xff\x0a`, 1)],
    ['has a label of an unknown kind', answer(`\x80a${RECORD}`, 1)],
  ] as const) {
    it(`is rejected when it ${description}`, () => {
      assert.equal(decodeAnswer(bytes, 'app.test', 'A'), null);
    });
  }

  it('is decoded or rejected without an exception, whatever its bytes', () => {
    const random = createRandom(1035);
    for (let mutant = 0; mutant < 20_000; mutant += 1) {
      const bytes = answer(RECORD.repeat(3), 3);
      for (let change = 0; change < 1 + random() * 4; change += 1)
        bytes[Math.floor(random() * bytes.length)] = random() * 256;
      decodeAnswer(
        bytes.subarray(0, random() < 0.2 ? Math.floor(random() * bytes.length) : bytes.length),
        'app.test',
        'A',
      );
    }
  });

  it('has no query when the name is invalid', () => {
    for (const name of ['', 'a..b', `${'a'.repeat(64)}.test`, `${'abcdefg.'.repeat(40)}test`])
      assert.equal(encodeQuery(1, name, 'A'), null, name);
  });
});

describe('a DNS client', () => {
  it('ignores packets that do not answer its question, and asks over TCP when the answer does not fit', async (t) => {
    const udp = createSocket('udp4');
    const port = await freePort();
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    const tcp = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (query: Buffer) => {
        const whole = answer(RECORD, 1);
        query.copy(whole, 0, 2, 4);
        const length = Buffer.from([0, whole.length]);
        socket.write(length);
        socket.write(whole);
      });
    });
    tcp.listen(port, '127.0.0.1');
    await once(tcp, 'listening');
    t.after(() => {
      udp.close();
      tcp.close();
    });
    udp.on('message', (query, { port: from }) => {
      const wrongId = answer(RECORD, 1);
      wrongId.writeUInt16BE((query.readUInt16BE(0) + 1) % 65536, 0);
      const short = answer('', 1, '\x83\x80');
      query.copy(short, 0, 0, 2);
      for (const bytes of [Buffer.from('garbage'), wrongId, short]) udp.send(bytes, from, '127.0.0.1');
    });
    const { records } = await new DnsClient([`127.0.0.1:${port}`]).ask('app.test', 'A');
    assert.deepEqual(
      records.map(({ data }) => data),
      ['10.0.0.1'],
    );
  });
});
