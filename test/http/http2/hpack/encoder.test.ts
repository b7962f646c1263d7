import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../../src/http/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../../src/http/http2/hpack/encoder.ts';
import { outgoingField } from '../../../../src/http/http2/hpack/outgoing-field.ts';
import { STATIC_TABLE } from '../../../../src/http/http2/hpack/static-table.ts';
import { decodeLines, decodeSection, encodeBlock, outgoing } from './sections.ts';

const hex = (block: Buffer) => block.toString('hex');

describe('outgoingField', () => {
  it('gives one object for the same name and value', () => {
    assert.equal(outgoingField('server', 'viaduct'), outgoingField('server', 'viaduct'));
    assert.notEqual(outgoingField('server', 'viaduct'), outgoingField('server', 'other'));
  });

  it('shares neither long nor secret fields', () => {
    for (const [name, value] of [
      ['x-long', 'a'.repeat(251)],
      ['set-cookie', 'a=b'],
      ['authorization', 'Basic a'],
    ] as const) {
      assert.notEqual(outgoingField(name, value), outgoingField(name, value));
      assert.equal(outgoingField(name, value).isIndexable, false);
    }
    assert.notEqual(outgoingField('x-key', 'a', true), outgoingField('x-key', 'a', true));
    assert.equal(outgoingField('x-longest', 'a'.repeat(247)).isIndexable, true);
  });

  it('forgets all fields when it holds 1024', () => {
    const first = outgoingField('x-first', '');
    for (let number = 0; number < 1025; number += 1) outgoingField('x-number', String(number));
    assert.notEqual(outgoingField('x-first', ''), first);
  });
});

describe('HpackEncoder', () => {
  it('writes each field of the static table that is not secret as one octet', () => {
    for (const [position, { name, value }] of STATIC_TABLE.entries()) {
      const block = encodeBlock(new HpackEncoder(), [outgoingField(name, value)]);
      if (!/cookie|authorization$/.test(name)) assert.deepEqual([...block], [0x80 | (position + 1)], name);
    }
  });

  it('writes a field that usually recurs as a literal once, then as one octet', () => {
    const encoder = new HpackEncoder();
    const fields = outgoing(':status: 200', 'server: viaduct', 'x-frame-options: DENY');
    // Indexes 8 and 54 are static, 62 is the newest entry.
    assert.match(hex(encodeBlock(encoder, fields)), /^8876.+40.+$/);
    assert.equal(hex(encodeBlock(encoder, fields)), '88bfbe');
    assert.equal(hex(encodeBlock(encoder, fields, true)), '88bfbe');
  });

  const rare = [
    ...[
      'content-length: 13',
      'etag: "a"',
      'last-modified: now',
      'location: /a',
      'content-range: bytes 0-1/2',
      'age: 1',
    ],
    ...['expires: 0', ':path: /a', 'if-none-match: "a"', 'if-modified-since: now', 'x-request-id: 1'],
  ];
  for (const line of rare) {
    it(`keeps "${line}" out of the table until the list recurs`, () => {
      const encoder = new HpackEncoder();
      const fields = outgoing(line);
      for (let i = 0; i < 2; i += 1) assert.equal((encodeBlock(encoder, fields)[0] as number) >>> 4, 0);
      assert.equal(encoder.generation, 0);
      assert.equal((encodeBlock(encoder, fields, true)[0] as number) >>> 6, 1);
      assert.equal(hex(encodeBlock(encoder, fields)), 'be');
    });
  }

  for (const line of [
    'set-cookie: a=b',
    'cookie: a=b',
    'cookie: ',
    'authorization: Basic a',
    'proxy-authorization: a',
  ]) {
    it(`never indexes "${line}"`, () => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      for (const recurs of [false, true, true]) {
        const { fields } = decodeSection(decoder, encodeBlock(encoder, outgoing(line), recurs));
        assert.deepEqual(
          fields.map(({ name, value, neverIndexed }) => [`${name}: ${value}`, neverIndexed]),
          [[line, true]],
        );
      }
      assert.equal(encoder.generation, 0);
    });
  }

  it('never indexes a field that arrived so', () => {
    const encoder = new HpackEncoder();
    outgoingField('x-key', 'a');
    for (const recurs of [false, true]) {
      const block = encodeBlock(encoder, [outgoingField('x-key', 'a', true)], recurs);
      assert.equal(block[0], 0x10);
    }
  });

  it('keeps a field above a quarter of the table out of it until the list recurs, and one above the table for ever', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    encoder.setTableBytesMax(160);
    // 40 octets are a quarter.
    assert.equal(firstIndexed(['x-a: 12345']), true);
    assert.equal(firstIndexed(['x-a: 123456']), false);
    assert.equal(firstIndexed(['x-a: 123456'], true), true);
    assert.equal(firstIndexed([`x-a: ${'a'.repeat(125)}`], true), true);
    assert.equal(firstIndexed([`x-a: ${'a'.repeat(126)}`], true), false);
    assert.equal(firstIndexed([`x-a: ${'a'.repeat(1000)}`], true), false);

    function firstIndexed(lines: readonly string[], recurs = false): boolean {
      const before = decoder.generation;
      assert.deepEqual(decodeLines(decoder, encodeBlock(encoder, outgoing(...lines), recurs)), lines);
      return decoder.generation > before + (before === 0 ? 1 : 0);
    }
  });

  it('writes each string in its shorter form', () => {
    assert.equal(hex(encodeBlock(new HpackEncoder(), outgoing(':path: /sample/path'))).slice(0, 4), '0489');
    // Eight bits or more each: Huffman code would not be shorter.
    assert.equal(hex(encodeBlock(new HpackEncoder(), outgoing(':path: {}|~'))), '04047b7d7c7e');
  });

  it('evicts the oldest fields, and the decoder too', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    for (let number = 0; number < 500; number += 1) {
      const lines = [`x-number: ${number}`, 'server: viaduct', `vary: ${number % 7}`];
      assert.deepEqual(decodeLines(decoder, encodeBlock(encoder, outgoing(...lines))), lines);
    }
  });

  it('keeps fields that fill the table to the last octet', () => {
    const encoder = new HpackEncoder();
    encoder.setTableBytesMax(80);
    // 40 octets each.
    const fields = outgoing('x-a: 12345', 'x-b: 12345');
    encodeBlock(encoder, fields, true);
    assert.equal(hex(encodeBlock(encoder, fields)), 'bfbe');
    encodeBlock(encoder, outgoing('x-c: 12345'), true);
    assert.equal(hex(encodeBlock(encoder, outgoing('x-b: 12345'))), 'bf');
  });

  it('counts a generation for each change of its table, and none for a block of indexes', () => {
    const encoder = new HpackEncoder();
    const fields = outgoing(':status: 200', 'server: viaduct');
    encodeBlock(encoder, fields);
    const { generation } = encoder;
    assert.ok(generation > 0);
    assert.deepEqual(encodeBlock(encoder, fields), encodeBlock(encoder, fields));
    assert.equal(encoder.generation, generation);
    encoder.setTableBytesMax(65_536);
    assert.equal(encoder.generation, generation, 'more than it uses');
    encoder.setTableBytesMax(100);
    assert.ok(encoder.generation > generation);
  });
});

describe('HpackEncoder, size updates', () => {
  const stories = [
    { sizes: [4096], updates: '' },
    { sizes: [65_536], updates: '' },
    { sizes: [100], updates: '3f45' },
    { sizes: [0], updates: '20' },
    { sizes: [0, 4096], updates: '203fe11f' },
    { sizes: [0, 65_536], updates: '203fe11f' },
    { sizes: [100, 0, 30], updates: '203e' },
    { sizes: [30, 100, 20], updates: '34' },
    { sizes: [65_536, 0xffffffff, 4096], updates: '' },
  ];
  for (const { sizes, updates } of stories) {
    it(`writes ${updates || 'none'} after the settings ${sizes.join(', ')}, once`, () => {
      const encoder = new HpackEncoder();
      for (const size of sizes) encoder.setTableBytesMax(size);
      assert.equal(hex(encodeBlock(encoder, outgoing(':status: 200'))), `${updates}88`);
      assert.equal(hex(encodeBlock(encoder, outgoing(':status: 200'))), '88');
    });
  }

  it('evicts what the smallest size leaves no room for', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const lines = ['x-first: 1', 'x-second: 2'];
    encodeAndDecode();
    encoder.setTableBytesMax(50);
    encoder.setTableBytesMax(4096);
    const block = encodeAndDecode();
    assert.ok(hex(block).startsWith('3f133fe11f40'), 'the first field is a literal again');
    assert.equal(encodeAndDecode().length, 2);
    encoder.setTableBytesMax(0);
    encodeAndDecode();
    encodeAndDecode();
    encoder.setTableBytesMax(4096);
    encodeAndDecode();
    assert.equal(encodeAndDecode().length, 2);

    function encodeAndDecode(): Buffer {
      const encoded = encodeBlock(encoder, outgoing(...lines));
      assert.deepEqual(decodeLines(decoder, encoded), lines);
      return encoded;
    }
  });

  it('may write each time as many octets as sizeMax says, and no more', () => {
    const encoder = new HpackEncoder();
    encoder.setTableBytesMax(0);
    encoder.setTableBytesMax(4095);
    const fields = outgoing('cookie: {}', ':path: {}');
    // encodeBlock refuses more. Size updates of 1 and 3 octets, a name index of 2 and one of 1.
    assert.equal(encodeBlock(encoder, fields).length, 1 + 3 + (2 + 3) + (1 + 3));
    assert.equal(HpackEncoder.sizeMax(fields), 6 + (2 + 3) + (2 + 3));
    assert.equal(HpackEncoder.sizeMax([]), 6);
  });
});
