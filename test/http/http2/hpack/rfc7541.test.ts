import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../../src/http/http2/hpack/decoder.ts';
import { writeInteger } from '../../../../src/http/http2/hpack/outgoing-field.ts';
import { decodeLines, decodeSection, octets } from './sections.ts';

const GET = [':method: GET', ':scheme: http', ':path: /'];
const REQUESTS = [
  [...GET, ':authority: www.example.com'],
  [...GET, ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ...[':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com'],
    'custom-key: custom-value',
  ],
];
const REQUEST_TABLES = [
  [':authority: www.example.com'],
  ['cache-control: no-cache', ':authority: www.example.com'],
  ['custom-key: custom-value', 'cache-control: no-cache', ':authority: www.example.com'],
];
const FIRST_DATE = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
const SECOND_DATE = 'date: Mon, 21 Oct 2013 20:13:22 GMT';
const LOCATION = 'location: https://www.example.com';
const COOKIE = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const RESPONSES = [
  [':status: 302', 'cache-control: private', FIRST_DATE, LOCATION],
  [':status: 307', 'cache-control: private', FIRST_DATE, LOCATION],
  [':status: 200', 'cache-control: private', SECOND_DATE, LOCATION, 'content-encoding: gzip', COOKIE],
];
const RESPONSE_TABLES = [
  [LOCATION, FIRST_DATE, 'cache-control: private', ':status: 302'],
  [':status: 307', LOCATION, FIRST_DATE, 'cache-control: private'],
  [COOKIE, 'content-encoding: gzip', SECOND_DATE],
];

/** The octets of each section, its fields, and the table after it from the newest entry on. */
const STORIES = [
  {
    name: 'C.3, requests without Huffman code',
    tableBytes: 4096,
    sections: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    lines: REQUESTS,
    tables: REQUEST_TABLES,
  },
  {
    name: 'C.4, requests with Huffman code',
    tableBytes: 4096,
    sections: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    lines: REQUESTS,
    tables: REQUEST_TABLES,
  },
  {
    name: 'C.5, responses without Huffman code, with eviction',
    tableBytes: 256,
    sections: [
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
       3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
       7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
       6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
    ],
    lines: RESPONSES,
    tables: RESPONSE_TABLES,
  },
  {
    name: 'C.6, responses with Huffman code, with eviction',
    tableBytes: 256,
    sections: [
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
       1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
       e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ],
    lines: RESPONSES,
    tables: RESPONSE_TABLES,
  },
];

describe('HPACK examples of RFC 7541 Appendix C', () => {
  const integers = [
    { name: 'C.1.1', value: 10, mask: 0x1f, digits: '0a' },
    { name: 'C.1.2', value: 1337, mask: 0x1f, digits: '1f9a0a' },
    { name: 'C.1.3', value: 42, mask: 0xff, digits: '2a' },
  ];
  for (const { name, value, mask, digits } of integers) {
    it(`writes the integer of ${name}`, () => {
      const out = Buffer.alloc(8);
      assert.equal(out.subarray(0, writeInteger(out, 0, 0, mask, value)).toString('hex'), digits);
    });
  }

  it('reads the integer of C.1.2 as a size update', () => {
    assert.equal(decodeSection(new HpackDecoder(1337), octets('3f9a0a')).fault, null);
    assert.match(decodeSection(new HpackDecoder(1336), octets('3f9a0a')).fault ?? '', /above the limit/);
  });

  const fields = [
    { name: 'C.2.1', digits: '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', table: 1 },
    { name: 'C.2.2', digits: '040c 2f73 616d 706c 652f 7061 7468', table: 0 },
    { name: 'C.2.3', digits: '1008 7061 7373 776f 7264 0673 6563 7265 74', table: 0 },
    { name: 'C.2.4', digits: '82', table: 0 },
  ];
  const lines = ['custom-key: custom-header', ':path: /sample/path', 'password: secret', ':method: GET'];
  for (const [index, { name, digits, table }] of fields.entries()) {
    it(`decodes the field of ${name}`, () => {
      const decoder = new HpackDecoder();
      const decoded = decodeSection(decoder, octets(digits));
      assert.equal(decoded.fault, null);
      assert.deepEqual(
        decoded.fields.map((field) => `${field.name}: ${field.value}`),
        [lines[index]],
      );
      assert.equal(decoded.fields[0]?.neverIndexed, name === 'C.2.3');
      assert.deepEqual(tableOf(decoder), table === 1 ? [lines[index]] : []);
    });
  }

  for (const { name, tableBytes, sections, lines, tables } of STORIES) {
    it(`decodes the sections of ${name}`, () => {
      const decoder = new HpackDecoder(tableBytes);
      for (const [index, section] of sections.entries()) {
        assert.deepEqual(decodeLines(decoder, octets(section.replace(/\s/g, ''))), lines[index]);
        assert.deepEqual(tableOf(decoder), tables[index]);
      }
    });
  }
});

/** The dynamic table from the newest entry on: what the indexes from 62 on give. */
function tableOf(decoder: HpackDecoder): string[] {
  const lines: string[] = [];
  for (let index = 62; index < 127; index += 1) {
    const { fault, fields } = decodeSection(decoder, Buffer.of(0x80 | index));
    if (fault !== null) break;
    for (const field of fields) lines.push(`${field.name}: ${field.value}`);
  }
  return lines;
}
