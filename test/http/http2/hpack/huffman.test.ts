import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../../../src/http/http2/hpack/huffman.ts';
import { createRandom } from '../../../support/random.ts';
import { octets } from './sections.ts';

describe('Huffman code', () => {
  const known = [
    { text: '', digits: '' },
    { text: 'www.example.com', digits: 'f1e3c2e5f23a6ba0ab90f4ff' },
    { text: 'no-cache', digits: 'a8eb10649cbf' },
    { text: '302', digits: '6402' },
    { text: 'https://www.example.com', digits: '9d29ad171863c78f0b97c8e9ae82ae43d3' },
    { text: '\x00', digits: 'ffc7' },
    { text: '\n', digits: 'fffffff3' },
    { text: '\xff', digits: 'fffffbbf' },
  ];
  for (const { text, digits } of known) {
    it(`of ${JSON.stringify(text)} is ${digits || 'empty'}`, () => {
      assert.equal(encode(text).toString('hex'), digits);
      assert.equal(decode(octets(digits)), text);
    });
  }

  it('gives back each octet alone, between others and repeated', () => {
    for (let octet = 0; octet < 256; octet += 1) {
      const character = String.fromCharCode(octet);
      for (const text of [character, `a${character}Z`, character.repeat(9)]) assert.equal(decode(encode(text)), text);
    }
  });

  it('gives back texts of all lengths, also those longer than the memory that decoding shares', () => {
    const random = createRandom(7541);
    for (const length of [1, 2, 3, 100, 4095, 4096, 4097, 20_000]) {
      for (const range of [64, 256]) {
        const text = Buffer.from(Uint8Array.from({ length }, () => random() * range)).toString('latin1');
        assert.equal(decode(encode(text)), text);
      }
    }
    const shortest = '0'.repeat(20_000);
    assert.equal(encode(shortest).length, 12_500);
    assert.equal(decode(encode(shortest)), shortest);
  });

  const wrong = [
    { name: 'EOS alone', digits: 'ffffffff' },
    { name: 'EOS after a text', digits: '1fffffffff' },
    { name: 'EOS before a text', digits: 'fffffffc1f' },
    { name: 'more than seven bits of padding', digits: 'f1e3c2e5f23a6ba0ab90f4ffff' },
    { name: 'nothing but eight bits of padding', digits: 'ff' },
    { name: 'sixteen bits of padding', digits: 'ffff' },
    { name: 'padding with a zero bit at its end', digits: '1e' },
    { name: 'padding of zero bits', digits: '18' },
    { name: 'a code that is cut off', digits: 'fffffb' },
  ];
  for (const { name, digits } of wrong) {
    it(`refuses ${name}`, () => assert.equal(decode(octets(digits)), null));
  }

  it('accepts one to seven bits of padding', () => {
    // "0" has 5 bits, "-" 6, "B" 7, "&" 8.
    for (const text of ['0', '-', 'B', '00', '0-', '--', '0B', '00&-']) assert.equal(decode(encode(text)), text);
    assert.equal(decode(octets('0f')), '1');
  });
});

function encode(text: string): Buffer {
  const out = Buffer.alloc(huffmanLength(text) + 8, 0xee);
  const end = huffmanEncode(text, out, 4);
  assert.equal(end, 4 + huffmanLength(text));
  assert.equal(out.readUInt32BE(0), 0xeeeeeeee);
  assert.equal(out.readUInt32BE(end), 0xeeeeeeee);
  return out.subarray(4, end);
}

function decode(bytes: Buffer): string | null {
  return huffmanDecode(bytes, 0, bytes.length);
}
