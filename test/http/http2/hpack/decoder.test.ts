import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../../src/http/http2/hpack/decoder.ts';
import { decodeLines, decodeSection, octets } from './sections.ts';

/** A literal that goes into the table: name and value of one repeated character each. */
function insertion(nameLength: number, valueLength: number, character = 'a'): Buffer {
  const string = (length: number) => {
    const prefix = length < 0x7f ? [length] : [0x7f, 0x80 | ((length - 0x7f) & 0x7f), (length - 0x7f) >>> 7];
    return Buffer.concat([Buffer.from(prefix), Buffer.alloc(length, character)]);
  };
  return Buffer.concat([Buffer.of(0x40), string(nameLength), string(valueLength)]);
}

describe('HpackDecoder', () => {
  const wrong = [
    { name: 'index 0', digits: '80', reason: 'an index is 0' },
    { name: 'an index beyond both tables', digits: 'be', reason: 'an index is beyond the tables' },
    { name: 'an index of two octets beyond both tables', digits: 'ff00', reason: 'an index is beyond the tables' },
    { name: 'a name index beyond both tables', digits: '7e0161', reason: 'an index is beyond the tables' },
    {
      name: 'a name index beyond both tables, not indexed',
      digits: '0f2f0161',
      reason: 'an index is beyond the tables',
    },
    { name: 'a continued index that ends', digits: 'ff', reason: 'the field section is truncated' },
    { name: 'a continued index that ends later', digits: 'ff8080', reason: 'the field section is truncated' },
    { name: 'a literal without its name', digits: '40', reason: 'the field section is truncated' },
    { name: 'a literal without its value', digits: '400161', reason: 'the field section is truncated' },
    { name: 'a literal with a name index without its value', digits: '41', reason: 'the field section is truncated' },
    { name: 'a length that ends', digits: '417f', reason: 'the field section is truncated' },
    { name: 'a name beyond the section', digits: '000261', reason: 'a string is longer than the field section' },
    { name: 'a value beyond the section', digits: '410261', reason: 'a string is longer than the field section' },
    {
      name: 'a Huffman value beyond the section',
      digits: '418364',
      reason: 'a string is longer than the field section',
    },
    { name: 'a length of 2^28 - 1', digits: '417f80ffff7f', reason: 'a string is longer than the field section' },
    { name: 'an integer of 2^28', digits: 'ff81ffff7f', reason: 'an integer is too long' },
    { name: 'a length of 2^28', digits: '417f81ffff7f', reason: 'an integer is too long' },
    { name: 'a name index of 2^28', digits: '7fc1ffff7f', reason: 'an integer is too long' },
    { name: 'a size of 2^28', digits: '3fe1ffff7f', reason: 'an integer is too long' },
    { name: 'an integer of 2^32', digits: 'ff8180808010', reason: 'an integer is too long' },
    { name: 'an integer of six continuation octets', digits: 'ff808080808000', reason: 'an integer is too long' },
    { name: 'an integer without end', digits: `ff${'80'.repeat(100)}`, reason: 'an integer is too long' },
    { name: 'EOS in a value', digits: '4184ffffffff', reason: 'a string is not valid Huffman code' },
    { name: 'EOS in a name', digits: '0084ffffffff00', reason: 'a string is not valid Huffman code' },
    { name: 'long padding', digits: '4181ff', reason: 'a string is not valid Huffman code' },
    { name: 'zero bits as padding', digits: '418118', reason: 'a string is not valid Huffman code' },
    { name: 'a table above the limit', digits: '3fe21f', reason: 'the size of the dynamic table is above the limit' },
    { name: 'a size that ends', digits: '3f', reason: 'the field section is truncated' },
    { name: 'a size after a field', digits: '8220', reason: 'the size of the dynamic table changes after a field' },
    { name: 'a size at the end', digits: '20823f01', reason: 'the size of the dynamic table changes after a field' },
  ];
  for (const { name, digits, reason } of wrong) {
    it(`refuses ${name}`, () => assert.equal(decodeSection(new HpackDecoder(), octets(digits)).fault, reason));
    const before = reason.includes('size') || digits.startsWith('3') ? '3fe11f' : '82';
    it(`refuses ${name} behind ${before === '82' ? 'a field' : 'a size'}`, () => {
      assert.equal(decodeSection(new HpackDecoder(), octets(before + digits)).fault, reason);
    });
  }

  const right = [
    { name: 'nothing', digits: '', lines: [] },
    { name: 'a value without octets', digits: '4100', lines: [':authority: '] },
    { name: 'a value of empty Huffman code', digits: '4180', lines: [':authority: '] },
    { name: 'a name index of two octets', digits: '0f0c0161', lines: ['content-language: a'] },
    { name: 'an octet above 127', digits: '4101e9', lines: [':authority: é'] },
    { name: 'the last static index', digits: 'bd', lines: ['www-authenticate: '] },
  ];
  for (const { name, digits, lines } of right) {
    it(`accepts ${name}`, () => assert.deepEqual(decodeLines(new HpackDecoder(), octets(digits)), lines));
  }

  it('accepts an integer with five continuation octets, the last without bits', () => {
    const value = 'a'.repeat(0x7f);
    const section = Buffer.concat([octets('417f8080808000'), Buffer.from(value)]);
    assert.deepEqual(decodeLines(new HpackDecoder(), section), [`:authority: ${value}`]);
  });
});

describe('HpackDecoder, its table', () => {
  it('gives the same object for an index each time, until it is evicted', () => {
    const decoder = new HpackDecoder(100);
    const [inserted] = decodeSection(decoder, insertion(10, 10)).fields;
    const first = decodeSection(decoder, octets('be82be')).fields;
    assert.equal(first[0], inserted);
    assert.equal(first[2], inserted);
    assert.equal(decodeSection(decoder, octets('82')).fields[0], first[1]);
    decodeSection(decoder, insertion(10, 10, 'b'));
    assert.notEqual(decodeSection(decoder, octets('be')).fields[0], inserted);
    assert.equal(decodeSection(decoder, octets('bf')).fault, 'an index is beyond the tables');
  });

  it('holds as many entries as its size allows, and evicts the oldest first', () => {
    const decoder = new HpackDecoder();
    // An entry of two characters takes 34 octets: 120 of them fit into 4096. Index 62 + 119 is 127 + 54.
    for (let number = 0; number < 300; number += 1) {
      const character = String.fromCharCode(33 + (number % 90));
      assert.equal(decodeSection(decoder, insertion(1, 1, character)).fault, null);
      const oldest = decodeSection(decoder, octets('ff36'));
      assert.equal(oldest.fault, number < 119 ? 'an index is beyond the tables' : null);
      if (number >= 119) assert.equal(oldest.fields[0]?.value, String.fromCharCode(33 + ((number - 119) % 90)));
      assert.equal(decodeSection(decoder, octets('ff37')).fault, 'an index is beyond the tables');
    }
  });

  it('empties itself for a field that can never fit', () => {
    const decoder = new HpackDecoder(100);
    decodeSection(decoder, insertion(1, 1));
    const { fault, fields } = decodeSection(decoder, insertion(34, 35));
    assert.equal(fault, null);
    assert.equal(fields[0]?.size, 101);
    assert.equal(decodeSection(decoder, octets('be')).fault, 'an index is beyond the tables');
    decodeSection(decoder, insertion(34, 34));
    assert.equal(decodeSection(decoder, octets('be')).fields[0]?.size, 100);
  });

  it('takes the name of an entry that its own insertion evicts', () => {
    const decoder = new HpackDecoder(100);
    decodeSection(decoder, insertion(30, 30));
    assert.deepEqual(decodeLines(decoder, octets('7e0162')), [`${'a'.repeat(30)}: b`]);
    assert.deepEqual(decodeLines(decoder, octets('be')), [`${'a'.repeat(30)}: b`]);
  });

  it('shrinks, grows and shrinks again at the start of a section', () => {
    const decoder = new HpackDecoder();
    for (const character of ['a', 'b', 'c']) decodeSection(decoder, insertion(1, 1, character));
    // 34 octets an entry: two fit into 68.
    assert.deepEqual(decodeLines(decoder, octets('3f25 be bf')), ['c: c', 'b: b']);
    assert.equal(decodeSection(decoder, octets('c0')).fault, 'an index is beyond the tables');
    assert.deepEqual(decodeLines(decoder, octets('3f24 3fe11f be')), ['c: c']);
    assert.deepEqual(decodeLines(decoder, octets('20 3fe11f')), []);
    assert.equal(decodeSection(decoder, octets('be')).fault, 'an index is beyond the tables');
    decodeSection(decoder, insertion(1, 1));
    assert.deepEqual(decodeLines(decoder, octets('be')), ['a: a']);
  });

  it('starts with 4096 octets even if more are allowed', () => {
    const decoder = new HpackDecoder(65_536);
    decodeSection(decoder, insertion(1, 5000));
    assert.equal(decodeSection(decoder, octets('be')).fault, 'an index is beyond the tables');
    assert.equal(decodeSection(decoder, Buffer.concat([octets('3fe1ff03'), insertion(1, 5000)])).fault, null);
    assert.equal(decodeSection(decoder, octets('be')).fields[0]?.size, 5033);
  });

  it('counts a generation for each change, and none for what leaves the table as it is', () => {
    const decoder = new HpackDecoder();
    const grows = (section: Buffer) => {
      const before = decoder.generation;
      decodeSection(decoder, section);
      return decoder.generation - before;
    };
    assert.equal(grows(octets('82 040161 140161')), 0);
    assert.equal(grows(octets('3fe11f')), 0, 'the size that it has');
    assert.equal(grows(insertion(1, 1)), 1);
    assert.equal(grows(Buffer.concat([insertion(1, 1), insertion(1, 1)])), 2);
    assert.equal(grows(insertion(2000, 3000)), 1, 'a field that empties it');
    assert.equal(grows(octets('20')), 1);
    assert.equal(grows(octets('be')), 0);
  });

  it('marks what is never indexed, and keeps it out of the table', () => {
    const decoder = new HpackDecoder();
    const { fields } = decodeSection(decoder, octets('1f0801 61  100161 0162  0f080161  600161'));
    assert.deepEqual(
      fields.map(({ name, value, neverIndexed }) => [name, value, neverIndexed]),
      [
        ['authorization', 'a', true],
        ['a', 'b', true],
        ['authorization', 'a', false],
        ['cookie', 'a', false],
      ],
    );
    assert.deepEqual(decodeLines(decoder, octets('be')), ['cookie: a']);
  });
});

describe('HpackDecoder, its limits', () => {
  it('appends no field after the one that passes the size, and says so', () => {
    const decoder = new HpackDecoder();
    // ":method: GET" has 42 octets, ":path: /" has 38.
    for (const [listBytesMax, count, exceeded] of [
      [42 + 38 + 42, 3, false],
      [42 + 38 + 41, 2, true],
      [42 + 37, 1, true],
      [0, 0, true],
    ] as const) {
      const { fault, fields } = decodeSection(decoder, octets('828482'), { listBytesMax });
      assert.deepEqual([fault, fields.length, decoder.exceeded], [null, count, exceeded]);
    }
    // A small field after a large one stays out too.
    assert.equal(decodeSection(decoder, octets('8284'), { listBytesMax: 40 }).fields.length, 0);
  });

  it('appends no field above the count, and forgets it for the next section', () => {
    const decoder = new HpackDecoder();
    assert.equal(decodeSection(decoder, octets('828482'), { countMax: 2 }).fields.length, 2);
    assert.equal(decoder.exceeded, true);
    assert.equal(decodeSection(decoder, octets('8284'), { countMax: 2 }).fields.length, 2);
    assert.equal(decoder.exceeded, false);
  });

  it('keeps the table right beyond the limits, and still finds errors', () => {
    const decoder = new HpackDecoder();
    decodeSection(decoder, Buffer.concat([octets('8282'), insertion(1, 1)]), { countMax: 1 });
    assert.deepEqual(decodeLines(decoder, octets('be')), ['a: a']);
    assert.equal(decodeSection(decoder, octets('828280'), { countMax: 1 }).fault, 'an index is 0');
  });

  it('does not let a small section that names a large field again and again cost memory', () => {
    const decoder = new HpackDecoder();
    decodeSection(decoder, insertion(2000, 2000));
    const bomb = Buffer.alloc(1_000_000, 0xbe);
    const { fault, fields } = decodeSection(decoder, bomb, { listBytesMax: 65_536, countMax: 1000 });
    assert.equal(fault, null);
    assert.equal(decoder.exceeded, true);
    assert.equal(fields.length, Math.floor(65_536 / 4032));
    assert.equal(new Set(fields).size, 1);
  });

  it('does not let empty fields pass without being counted', () => {
    const decoder = new HpackDecoder();
    const { fields } = decodeSection(decoder, Buffer.alloc(3000, octets('000000')), { listBytesMax: 3200 });
    assert.equal(fields.length, 100);
    assert.equal(decoder.exceeded, true);
  });
});
