import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { HpackDecoder } from '../../../../src/http/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../../src/http/http2/hpack/encoder.ts';
import { outgoingField } from '../../../../src/http/http2/hpack/outgoing-field.ts';
import { STATIC_TABLE } from '../../../../src/http/http2/hpack/static-table.ts';
import {
  type EncodedSection,
  type Field,
  type HpackCoder,
  type PlainSection,
  startHpackCoder,
} from '../../../support/hpack-coder.ts';
import { suiteLifetime } from '../../../support/lifetime.ts';
import { chooseSeed, createRandom } from '../../../support/random.ts';
import { NO_PACKAGES } from '../../../support/viaduct.ts';
import { decodeSection, encodeBlock, octets } from './sections.ts';

const STORIES = 40;
const SECTIONS = 30;

describe('HPACK beside the Python package hpack', { skip: NO_PACKAGES }, () => {
  const lifetime = suiteLifetime();
  let coder: HpackCoder;
  before(() => {
    coder = startHpackCoder(lifetime);
  });

  it('decodes the stories that hpack encodes', async (t) => {
    const random = seeded(t);
    for (let number = 0; number < STORIES; number += 1) {
      const story = randomStory(random);
      const encoded = await coder.encode(story);
      const decoder = new HpackDecoder(TABLE_SIZES_MAX);
      for (const [index, section] of encoded.entries()) {
        const { fault, fields } = decodeSection(decoder, octets(section));
        assert.equal(fault, null);
        assert.deepEqual(fields.map(plain), story[index]?.fields);
      }
    }
  });

  it('encodes stories that hpack decodes', async (t) => {
    const random = seeded(t);
    for (let number = 0; number < STORIES; number += 1) {
      const story = randomStory(random);
      const encoder = new HpackEncoder();
      const encoded = story.map(({ fields, tableBytes }): EncodedSection => {
        if (tableBytes !== undefined) encoder.setTableBytesMax(tableBytes);
        const list = fields.map(([name, value, neverIndexed]) => outgoingField(name, value, neverIndexed));
        const section = encodeBlock(encoder, list, random() < 0.3).toString('hex');
        return tableBytes === undefined ? { octets: section } : { octets: section, tableBytes };
      });
      const decoded = await coder.decode(encoded);
      assert.deepEqual(
        decoded,
        story.map(({ fields }) => fields.map(([name, value, never]) => [name, value, never || SECRET.test(name)])),
      );
    }
  });

  it('gives the same fields as hpack for sections with wrong octets, or refuses them with it', async (t) => {
    const random = seeded(t);
    let refused = 0;
    let accepted = 0;
    for (let number = 0; number < 5 * STORIES; number += 1) {
      const sections = (await coder.encode(randomStory(random).slice(0, 6))).map((section) => damaged(random, section));
      const theirs = await coder.decode(sections.map((section) => ({ octets: section })));
      const decoder = new HpackDecoder();
      for (const [index, answer] of theirs.entries()) {
        const { fault, fields } = decodeSection(decoder, octets(sections[index] ?? ''));
        const ours = fault ?? fields.map(plain);
        if (typeof answer === 'string' || typeof ours === 'string') {
          assert.equal(typeof ours, typeof answer, `${sections[index]}: ${ours} beside ${answer}`);
          refused += 1;
          break;
        }
        assert.deepEqual(ours, answer);
        accepted += 1;
      }
    }
    t.diagnostic(`${refused} refused, ${accepted} accepted`);
    assert.ok(refused > 0 && accepted > 0);
  });
});

const SECRET = /^(?:set-cookie|cookie|authorization|proxy-authorization)$/;
const TABLE_SIZES = [0, 31, 40, 100, 256, 1000, 4096, 4096, 16_384];
const TABLE_SIZES_MAX = 16_384;
const NAMES = ['x-a', 'x-b', 'x-request-id', 'content-type', 'vary', 'date', 'etag', 'set-cookie', 'authorization'];

interface Titled {
  diagnostic(message: string): void;
}

function seeded(t: Titled): () => number {
  const seed = chooseSeed();
  t.diagnostic(`seed ${seed}`);
  return createRandom(seed);
}

/** Sections that repeat fields of each other, as those of a connection do, with a change of the table's size now and then. */
function randomStory(random: () => number): PlainSection[] {
  const pool = Array.from({ length: 12 }, () => randomField(random));
  return Array.from({ length: SECTIONS }, () => {
    const fields = Array.from({ length: Math.floor(random() * 12) }, () =>
      random() < 0.7 ? pick(random, pool) : randomField(random),
    );
    const section = { fields, huffman: random() < 0.5 };
    return random() < 0.15 ? { ...section, tableBytes: pick(random, TABLE_SIZES) } : section;
  });
}

function randomField(random: () => number): Field {
  if (random() < 0.2) {
    const { name, value } = pick(random, STATIC_TABLE);
    return [name, value, false];
  }
  // A name of its own, since hpack writes what its tables hold as an index, also if it is never to be indexed.
  if (random() < 0.1) return ['x-secret', text(random, 60, 256), true];
  const name = random() < 0.8 ? pick(random, NAMES) : text(random, 20, 26);
  return [name, text(random, random() < 0.1 ? 5000 : 60, random() < 0.7 ? 26 : 256), false];
}

/** Letters, or all octets if `range` is 256. */
function text(random: () => number, lengthMax: number, range: number): string {
  const first = range === 26 ? 0x61 : 0;
  const length = Math.floor(random() * lengthMax);
  return String.fromCharCode(...Array.from({ length }, () => first + Math.floor(random() * range)));
}

function damaged(random: () => number, section: string): string {
  if (random() < 0.5) return section;
  const bytes = octets(section);
  const changes = 1 + Math.floor(random() * 3);
  for (let i = 0; i < changes && bytes.length > 0; i += 1) {
    bytes[Math.floor(random() * bytes.length)] = random() * 256;
  }
  return bytes.subarray(0, random() < 0.8 ? bytes.length : Math.floor(random() * bytes.length)).toString('hex');
}

function pick<Item>(random: () => number, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

function plain({ name, value, neverIndexed }: { name: string; value: string; neverIndexed: boolean }): Field {
  return [name, value, neverIndexed];
}
