import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderField } from '../../../src/http/http2/hpack/header-field.ts';
import { type RequestSection, RequestSectionReader } from '../../../src/http/http2/request-section.ts';
import { DEFAULT_LIMITS } from '../../../src/http/transport/limits.ts';
import { fields } from '../../support/http2-frames.ts';

type Fields = readonly (readonly [string, string])[];

const LIMITS = { ...DEFAULT_LIMITS, requestLineBytesMax: 100, headerBytesMax: 200, headerCountMax: 5 };
const reader = new RequestSectionReader(LIMITS);

function read(list: Fields, isCut = false): RequestSection {
  return reader.read(
    list.map(([name, value]) => new HeaderField(name, value, false)),
    isCut,
  );
}

/** Sections that are not malformed but get an error as their response, and its status. */
const REFUSED: readonly (readonly [string, Fields, number])[] = [
  [
    'CONNECT',
    [
      [':method', 'CONNECT'],
      [':authority', 'a:1'],
    ],
    405,
  ],
  ['TRACE', fields({ ':method': 'TRACE' }), 405],
  ['a method that is no token', fields({ ':method': 'GE T' }), 400],
  ['an empty method', fields({ ':method': '' }), 400],
  ['another scheme', fields({ ':scheme': 'ftp' }), 400],
  ['an empty scheme', fields({ ':scheme': '' }), 400],
  ['a path without a slash', fields({ ':path': 'a' }), 400],
  ['an absolute target', fields({ ':path': 'http://a/' }), 400],
  ['an asterisk of GET', fields({ ':path': '*' }), 400],
  ['a fragment', fields({ ':path': '/#a' }), 400],
  ['a space in the path', fields({ ':path': '/a b' }), 400],
  ['a character beyond ASCII in the path', fields({ ':path': '/\xe4' }), 400],
  ['a backslash in the path', fields({ ':path': '/a\\b' }), 400],
  ['an invalid encoding', fields({ ':path': '/%zz' }), 400],
  ['neither :authority nor Host', fields({ ':authority': undefined }), 400],
  ['an empty :authority', fields({ ':authority': '' }), 400],
  ['a user in :authority', fields({ ':authority': 'u@a' }), 400],
  ['a space in :authority', fields({ ':authority': 'a b' }), 400],
  ['an invalid port', fields({ ':authority': 'a:b' }), 400],
  ['another Host', fields({}, [['host', 'b']]), 400],
  [
    'a second Host that differs',
    fields({}, [
      ['host', 'a'],
      ['host', 'b'],
    ]),
    400,
  ],
  [
    'two Hosts',
    fields({ ':authority': undefined }, [
      ['host', 'a'],
      ['host', 'b'],
    ]),
    400,
  ],
  [
    'two lengths',
    fields({}, [
      ['content-length', '1'],
      ['content-length', '2'],
    ]),
    400,
  ],
  ['a signed length', fields({}, [['content-length', '+1']]), 400],
  ['a negative length', fields({}, [['content-length', '-1']]), 400],
  ['an empty length', fields({}, [['content-length', '']]), 400],
  ['a length beyond the limit', fields({}, [['content-length', '99999999999']]), 413],
  ['another expectation', fields({}, [['expect', 'something']]), 417],
  ['a target that is too long', fields({ ':path': `/${'a'.repeat(100)}` }), 414],
  ['a method that is too long', fields({ ':method': 'A'.repeat(101) }), 501],
  ['fields that are too long', fields({}, [['a', 'b'.repeat(200)]]), 431],
  [
    'cookies that are too long',
    fields(
      {},
      Array.from({ length: 9 }, () => ['cookie', 'b'.repeat(20)] as const),
    ),
    431,
  ],
  [
    'too many fields',
    fields(
      {},
      Array.from({ length: 6 }, (_, i) => [`a${i}`, 'b'] as const),
    ),
    431,
  ],
  ['an unknown :protocol', [...fields({ ':method': 'CONNECT' }), [':protocol', 'other']], 501],
];

describe('a header section of a request', () => {
  it('says what the request is', () => {
    const section = read(
      fields({ ':method': 'PUT', ':scheme': 'https', ':path': '/a%20b?c=d?e', ':authority': 'Host.example:8' }, [
        ['content-length', '12'],
        ['expect', '100-continue'],
        ['priority', 'u=1, i'],
        ['te', 'trailers'],
      ]),
    );
    assert.equal(section.malformed, '');
    assert.equal(section.refusal, null);
    assert.equal(section.method, 'PUT');
    assert.equal(section.path, '/a%20b');
    assert.equal(section.query, 'c=d?e');
    assert.equal(section.host, 'Host.example:8');
    assert.equal(section.contentLength, 12);
    assert.equal(section.expectsContinue, true);
    assert.deepEqual(section.priority, { urgency: 1, incremental: true });
    assert.equal(section.headers[0], 'host');
    assert.equal(section.headersRepeat, false);
    assert.equal(section.isWebSocket, false);
  });

  for (const [lines, priority] of [
    [['u=1', 'i'], { urgency: 1, incremental: true }],
    [['u=1, i', 'u=5'], { urgency: 5, incremental: true }],
    [['', 'u=0'], { urgency: 0, incremental: false }],
  ] as const) {
    it(`takes the Priority fields ${JSON.stringify(lines)} as one list (RFC 9110 section 5.3)`, () => {
      const section = read(
        fields(
          {},
          lines.map((value) => ['priority', value] as const),
        ),
      );
      assert.deepEqual(section.priority, priority);
    });
  }

  const accepted: readonly (readonly [string, Fields])[] = [
    [
      'pseudo-fields in any order',
      [
        [':path', '/'],
        [':authority', 'a'],
        [':scheme', 'http'],
        [':method', 'GET'],
      ],
    ],
    ['OPTIONS of the server', fields({ ':method': 'OPTIONS', ':path': '*' })],
    ['the same Host', fields({}, [['host', 'A']])],
    ['Host alone', fields({ ':authority': undefined }, [['host', 'a']])],
    ['an empty value', fields({}, [['a', '']])],
    ['a value beyond ASCII', fields({}, [['a', '\xe4\xff']])],
    ['a tab within a value', fields({}, [['a', 'b\tc']])],
    ['an encoded path', fields({ ':path': '/%2f%C3%A4' })],
    ['an unknown method', fields({ ':method': 'PURGE' })],
    [
      'as many fields as allowed',
      fields(
        {},
        Array.from({ length: 4 }, (_, i) => [`a${i}`, 'b'] as const),
      ),
    ],
    [
      'many cookies',
      fields(
        {},
        Array.from({ length: 9 }, (_, i) => ['cookie', `${i}=1`] as const),
      ),
    ],
  ];
  for (const [what, list] of accepted) {
    it(`is accepted with ${what}`, () => {
      const { malformed, refusal } = read(list);
      assert.equal(malformed, '');
      assert.equal(refusal, null);
    });
  }

  for (const [what, list, status] of REFUSED) {
    it(`is refused with ${status} because of ${what}`, () => {
      const { malformed, refusal } = read(list);
      assert.equal(malformed, '');
      assert.equal(refusal?.status, status);
    });
  }

  it('is refused with 431 when it was cut', () => {
    assert.equal(read(fields(), true).refusal?.status, 431);
  });

  it('is malformed rather than refused when it is both', () => {
    const both = fields({ ':path': '/%zz' }, [['a', ' b']]);
    assert.notEqual(read(both).malformed, '');
    assert.equal(read(both).refusal, null);
  });

  it('asks for a WebSocket with an extended CONNECT', () => {
    const section = read([...fields({ ':method': 'CONNECT', ':path': '/chat' }), [':protocol', 'websocket']]);
    assert.equal(section.malformed, '');
    assert.equal(section.refusal, null);
    assert.equal(section.isWebSocket, true);
    assert.equal(section.path, '/chat');
  });

  it('leaves nothing for the next one', () => {
    read(
      fields({ ':method': 'POST' }, [
        ['content-length', '5'],
        ['expect', '100-continue'],
        ['priority', 'u=0'],
        ['a', '1'],
        ['a', '2'],
      ]),
    );
    read([[':path', '/only']]);
    const section = read(fields({}, [['a', '1']]));
    assert.equal(section.contentLength, -1);
    assert.equal(section.expectsContinue, false);
    assert.equal(section.headersRepeat, false);
    assert.deepEqual(section.priority, { urgency: 3, incremental: true });
    assert.deepEqual(section.headers, ['host', 'a', 'a', '1']);
    assert.notEqual(read([[':path', '/only']]).malformed, '');
  });

  it('names the fields that came as never indexed, except those that always leave so', () => {
    const list = fields({}, [
      ['x-token', 'a'],
      ['cookie', 'b=c'],
      ['x-plain', 'd'],
    ]);
    const namesOf = (...marked: readonly string[]): readonly string[] | null => {
      const section = reader.read(
        list.map(([name, value]) => new HeaderField(name, value, marked.includes(name))),
        false,
      );
      return section.neverIndexed === null ? null : [...section.neverIndexed];
    };
    assert.equal(namesOf(), null);
    assert.equal(namesOf('cookie'), null);
    assert.deepEqual(namesOf(':path', 'x-token', 'cookie'), [':path', 'x-token']);
    assert.equal(namesOf(), null);
  });
});
