import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../src/http/http2/hpack/decoder.ts';
import type { HeaderField } from '../../../src/http/http2/hpack/header-field.ts';
import { type RequestSection, RequestSectionReader } from '../../../src/http/http2/request-section.ts';
import { SectionMemory } from '../../../src/http/http2/section-memory.ts';
import { DEFAULT_LIMITS } from '../../../src/http/transport/limits.ts';
import { fields, section } from '../../support/http2-frames.ts';
import { createRandom } from '../../support/random.ts';

const reader = new RequestSectionReader(DEFAULT_LIMITS);
/** `GET / http`, as indexed fields. */
const PSEUDO = [0x82, 0x84, 0x86];
/** A literal that goes into the table: a name and a value of one character each. */
const insert = (name: string, value: string): number[] => [0x40, 1, name.charCodeAt(0), 1, value.charCodeAt(0)];
const literal = (name: string, value: string): number[] => [0, 1, name.charCodeAt(0), 1, value.charCodeAt(0)];
const HOST = [0x01, 1, 0x61];
const indexed = (age: number): number => 0x80 | (62 + age);
const resize = (bytes: number): number[] =>
  bytes < 31 ? [0x20 | bytes] : [0x3f, ((bytes - 31) & 0x7f) | 0x80, (bytes - 31) >> 7];

/** A connection as far as sections go. */
class Connection {
  readonly decoder = new HpackDecoder();
  readonly memory = new SectionMemory();
  found = 0;

  /** Reads a section, and checks that the memory says the same as the decoder. */
  read(octets: readonly number[] | Buffer): RequestSection {
    const bytes = Buffer.concat([Buffer.from('..'), Buffer.from(octets), Buffer.from('..')]);
    const end = bytes.length - 2;
    const remembered = this.memory.find(this.decoder, bytes, 2, end);
    const { generation } = this.decoder;
    const list: HeaderField[] = [];
    assert.equal(this.decoder.decode(bytes, 2, end, list, 100_000, 100), null);
    const read = reader.read(list, false);
    if (remembered !== undefined) {
      this.found += 1;
      assert.deepEqual(remembered.headers, read.headers);
      assert.equal(this.decoder.generation, generation, 'a section that changes the table must be decoded');
      return remembered;
    }
    this.memory.keep(this.decoder, generation, bytes, 2, end, read);
    return read;
  }
}

describe('the memory of header sections', () => {
  it('finds a section by its bytes', () => {
    const connection = new Connection();
    const octets = [...PSEUDO, ...HOST, ...literal('a', '1')];
    const first = connection.read(octets);
    assert.equal(connection.read(octets), first);
    assert.equal(connection.found, 1);
    assert.notEqual(connection.read([...PSEUDO, ...HOST, ...literal('a', '2')]), first);
  });

  it('does not keep a section that changes the table', () => {
    const connection = new Connection();
    const octets = [...PSEUDO, ...HOST, ...insert('a', '1')];
    connection.read(octets);
    connection.read(octets);
    assert.equal(connection.found, 0);
  });

  it('forgets all sections when the table changes', () => {
    const connection = new Connection();
    connection.read([...PSEUDO, ...HOST, ...insert('a', '1')]);
    const octets = [...PSEUDO, ...HOST, indexed(0)];
    assert.deepEqual(connection.read(octets).headers.slice(-2), ['a', '1']);
    connection.read(octets);
    assert.equal(connection.found, 1);
    connection.read([...PSEUDO, ...HOST, ...insert('b', '2')]);
    assert.deepEqual(connection.read(octets).headers.slice(-2), ['b', '2']);
    assert.equal(connection.found, 1);
  });

  it('keeps neither long sections nor WebSockets', () => {
    const connection = new Connection();
    const long = section(fields({}, [['a', 'b'.repeat(300)]]));
    assert.notEqual(connection.read(long), connection.read(long));
    const socket = section([...fields({ ':method': 'CONNECT' }), [':protocol', 'websocket']]);
    assert.notEqual(connection.read(socket), connection.read(socket));
    assert.equal(connection.found, 0);
  });

  it('never says something else than the decoder, for any sections', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = createRandom(seed);
      const connection = new Connection();
      /** Entries that the table has at least. */
      let count = 0;
      let size = 4096;
      const letter = (): string => String.fromCharCode(0x61 + Math.floor(random() * 3));
      for (let round = 0; round < 300; round += 1) {
        const octets = [...PSEUDO, ...HOST];
        if (random() < 0.03) {
          size = random() < 0.5 ? 0 : 4096;
          octets.unshift(...resize(size));
          if (size === 0) count = 0;
        }
        for (let i = 0; i < 2; i += 1) {
          if (random() < 0.05) {
            octets.push(...insert(letter(), letter()));
            if (size > 0) count = Math.min(60, count + 1);
          } else if (count > 0 && random() < 0.5) octets.push(indexed(Math.floor(random() * Math.min(3, count))));
          else octets.push(...literal(letter(), letter()));
        }
        connection.read(octets);
      }
      assert.ok(connection.found > 10, `seed ${seed}: ${connection.found}`);
    }
  });
});
