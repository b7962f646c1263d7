/** A request that every server gets. */
export interface ServerRequest {
  /** Its name in `recorded.json`. */
  readonly name: string;
  /** What it is, for people: it completes a row of a table. */
  readonly words: string;
  /** The octets, as latin-1. */
  readonly octets: string;
  /** The environ's variables that it is about; all of them if it is left out. */
  readonly keys?: readonly string[];
  /** Whether it is about the response's content, and about its fields. */
  readonly about?: 'content' | 'fields';
}

const HOST = 'Host: example.org:81\r\n';
const PATH = ['PATH_INFO', 'SCRIPT_NAME', 'QUERY_STRING', 'REQUEST_URI', 'RAW_URI'];
const CONTENT = ['CONTENT_LENGTH', 'CONTENT_TYPE', 'HTTP_TRANSFER_ENCODING', 'wsgi.input_terminated'];

const target = (name: string, words: string, text: string, keys: readonly string[] = PATH): ServerRequest => ({
  name,
  words,
  octets: `GET ${text} HTTP/1.1\r\n${HOST}\r\n`,
  keys,
});

const fields = (name: string, words: string, lines: readonly string[], keys: readonly string[]): ServerRequest => ({
  name,
  words,
  octets: `GET / HTTP/1.1\r\n${HOST}${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
  keys,
});

const method = (name: string, words: string, text: string, keys = ['REQUEST_METHOD']): ServerRequest => ({
  name,
  words,
  octets: `${text} / HTTP/1.1\r\n${HOST}\r\n`,
  keys,
});

const reads = (
  name: string,
  words: string,
  action: string,
  lines: readonly string[],
  content: string,
): ServerRequest => ({
  name,
  words,
  octets: `POST / HTTP/1.1\r\n${HOST}X-Do: ${action}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${content}`,
  keys: CONTENT,
});

const answers = (
  name: string,
  words: string,
  about: 'content' | 'fields' = 'content',
  head = 'GET / HTTP/1.1',
): ServerRequest => ({
  name: head.startsWith('GET / HTTP/1.1') ? name : `${name} ${head.split(' ')[head.startsWith('HEAD') ? 0 : 2]}`,
  words,
  octets: `${head}\r\n${HOST}X-Do: ${name}\r\n\r\n`,
  keys: [],
  about,
});

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';

/** The plain request comes first: what other requests change is told in relation to it. */
export const REQUESTS: readonly ServerRequest[] = [
  { name: 'plain', words: 'a plain `GET /a`', octets: `GET /a HTTP/1.1\r\n${HOST}\r\n` },

  target('path //a%2Fb/../c', '`GET //a%2Fb/../c`', '//a%2Fb/../c'),
  target('path //a', '`GET //a`', '//a'),
  target('path /a//b/./c', '`GET /a//b/./c`', '/a//b/./c'),
  target('path encoded', '`GET /caf%C3%A9%20x`', '/caf%C3%A9%20x'),
  target('path raw', 'a path with raw bytes outside ASCII', '/caf\xc3\xa9'),
  target('path 100%', '`GET /100%`, where the sign encodes nothing', '/100%'),
  target('path ;', '`GET /a;p=1;q/b;r`', '/a;p=1;q/b;r'),
  target('path ?', '`GET /a?`, with an empty query', '/a?'),
  target('query ?', '`GET /a?x=1?y=%2F&z=+`', '/a?x=1?y=%2F&z=+'),
  target('query <>', '`GET /a?x=<b>`, with characters that no URI may have', '/a?x=<b>'),
  target('path |', '`GET /a\\|b`', '/a|b'),
  target('absolute', '`GET http://other.example/a%2Fb//c?x`', 'http://other.example/a%2Fb//c?x', [
    ...PATH,
    'HTTP_HOST',
    'SERVER_NAME',
    'SERVER_PORT',
  ]),
  target('absolute without path', '`GET http://other.example?x`', 'http://other.example?x', [...PATH, 'HTTP_HOST']),
  { name: 'OPTIONS *', words: '`OPTIONS *`', octets: `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, keys: PATH },

  fields('cookies', 'two `Cookie` fields', ['Cookie: a=1', 'Cookie: b=2'], ['HTTP_COOKIE']),
  fields('repeated', '`X-A: 1` and `X-A: 2`', ['X-A: 1', 'X-A: 2'], ['HTTP_X_A']),
  fields('underscore', '`Foo_Bar: 2`', ['Foo_Bar: 2'], ['HTTP_FOO_BAR']),
  fields('both', '`Foo-Bar: 1` and `Foo_Bar: 2`', ['Foo-Bar: 1', 'Foo_Bar: 2'], ['HTTP_FOO_BAR']),
  fields('empty value', '`X-E:` without a value', ['X-E:'], ['HTTP_X_E']),
  fields('space after', '`X-S: v` with space and a tab after it', ['X-S: v  \t '], ['HTTP_X_S']),
  fields('latin value', 'a value with a byte outside ASCII', ['X-L: caf\xe9'], ['HTTP_X_L']),
  fields('utf8 value', 'a value in UTF-8', ['X-L: caf\xc3\xa9'], ['HTTP_X_L']),
  fields('Proxy', '`Proxy: x`', ['Proxy: x'], ['HTTP_PROXY']),
  fields('odd names', "`X.D: 1` and `X'q: 2`", ['X.D: 1', "X'q: 2"], ['HTTP_X.D', "HTTP_X'Q", 'HTTP_X_D', 'HTTP_X_Q']),
  fields(
    'type of GET',
    '`Content-Type: a/b` without content',
    ['Content-Type: a/b'],
    ['CONTENT_TYPE', 'HTTP_CONTENT_TYPE'],
  ),
  fields(
    'forwarded',
    '`X-Forwarded-For` and `-Proto` from this machine',
    ['X-Forwarded-For: 192.0.2.9', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: fw.example'],
    [
      'REMOTE_ADDR',
      'wsgi.url_scheme',
      'HTTP_HOST',
      'HTTP_X_FORWARDED_FOR',
      'HTTP_X_FORWARDED_PROTO',
      'HTTP_X_FORWARDED_HOST',
    ],
  ),
  fields('7 KB', 'a field of 7 KB', [`Cookie: c=${'x'.repeat(7000)}`], []),
  fields('9 KB', 'a field of 9 KB', [`Cookie: c=${'x'.repeat(9000)}`], []),
  fields('100 KB', 'a field of 100 KB', [`Cookie: c=${'x'.repeat(100_000)}`], []),
  fields(
    '120 fields',
    '120 fields',
    Array.from({ length: 120 }, (_, n) => `X-${n}: 1`),
    [],
  ),
  target('URL 5 KB', 'a target of 5 KB', `/${'u'.repeat(5000)}`, []),
  target('URL 10 KB', 'a target of 10 KB', `/${'u'.repeat(10_000)}`, []),

  {
    ...reads(
      'POST 5',
      'a POST with five bytes',
      'read-length',
      ['Content-Length: 5', 'Content-Type: a/b; c=d'],
      'hello',
    ),
  },
  reads('POST 0', 'a POST with `Content-Length: 0`', 'read-length', ['Content-Length: 0'], ''),
  reads('POST without', 'a POST without a length', 'read-length', [], ''),
  reads(
    'chunked, by length',
    'content in chunks, read by `CONTENT_LENGTH`',
    'read-length',
    ['Transfer-Encoding: chunked'],
    CHUNKS,
  ),
  reads('chunked, all', 'content in chunks, read to its end', 'read-all', ['Transfer-Encoding: chunked'], CHUNKS),
  reads('POST, all', 'five bytes, read to their end', 'read-all', ['Content-Length: 5'], 'hello'),
  reads('POST, lines', 'iterating over `wsgi.input`', 'read-lines', ['Content-Length: 5'], 'a\nb\nc'),
  reads(
    'trailer',
    'chunks with an extension and a trailer',
    'read-all',
    ['Transfer-Encoding: chunked', 'Trailer: X-Tr'],
    '5;a=b\r\nhello\r\n0\r\nX-Tr: 1\r\n\r\n',
  ),
  reads(
    'expect, unread',
    '`Expect: 100-continue`, content not read',
    'one',
    ['Content-Length: 5', 'Expect: 100-continue'],
    '',
  ),
  {
    name: 'GET with content',
    words: 'a GET with five bytes',
    octets: `GET / HTTP/1.1\r\n${HOST}X-Do: read-length\r\nContent-Length: 5\r\n\r\nhello`,
    keys: CONTENT,
  },

  method('TRACE', '`TRACE`', 'TRACE'),
  method('PURGE', 'an unknown method, `PURGE`', 'PURGE'),
  method('get', 'a method in lower case', 'get'),
  method('M-SEARCH', 'the method `M-SEARCH`', 'M-SEARCH'),

  {
    name: 'HTTP/1.0',
    words: 'HTTP/1.0 without `Host`',
    octets: 'GET / HTTP/1.0\r\n\r\n',
    keys: ['SERVER_PROTOCOL', 'HTTP_HOST', 'SERVER_NAME'],
  },
  { name: 'HTTP/1.2', words: 'HTTP/1.2', octets: `GET / HTTP/1.2\r\n${HOST}\r\n`, keys: ['SERVER_PROTOCOL'] },
  {
    name: 'keep-alive 1.0',
    words: 'HTTP/1.0 with `Connection: keep-alive`',
    octets: `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`,
    keys: [],
  },
  {
    name: 'without Host',
    words: 'HTTP/1.1 without `Host`',
    octets: 'GET / HTTP/1.1\r\n\r\n',
    keys: ['HTTP_HOST', 'SERVER_NAME'],
  },
  {
    name: 'empty Host',
    words: 'an empty `Host`',
    octets: 'GET / HTTP/1.1\r\nHost:\r\n\r\n',
    keys: ['HTTP_HOST', 'SERVER_NAME'],
  },
  {
    name: 'Host [::1]',
    words: '`Host: [::1]:28099`',
    octets: 'GET / HTTP/1.1\r\nHost: [::1]:28099\r\n\r\n',
    keys: ['HTTP_HOST', 'SERVER_NAME'],
  },
  {
    name: 'empty line first',
    words: 'an empty line before the request',
    octets: `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
    keys: [],
  },
  {
    name: 'two at once',
    words: 'two requests in one packet',
    octets: `GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    keys: [],
  },

  answers('three', 'a generator of three blocks'),
  answers('three', 'the generator, for a HEAD', 'content', 'HEAD / HTTP/1.1'),
  answers('three', 'the generator, over HTTP/1.0', 'content', 'GET / HTTP/1.0'),
  answers('one', 'a list of one block'),
  answers('one', 'the list, for a HEAD', 'content', 'HEAD / HTTP/1.1'),
  answers('two', 'a list of two blocks'),
  answers('tuple', 'a tuple of one block'),
  answers('empty', 'an empty list'),
  answers('empty-blocks', 'empty blocks between others'),
  answers('bytearray', 'a block that is a `bytearray`'),
  answers('str', 'a block that is a `str`'),
  answers('bytes', '`return b"bytes"`, without a list'),
  answers('no-type', 'no `Content-Type`', 'fields'),
  answers('204-content', '204 with content'),
  answers('204-length', '204 with `Content-Length: 0`', 'fields'),
  answers('304-length', '304 with `Content-Length: 5`', 'fields'),
  answers('5-for-3', 'five bytes for `Content-Length: 3`'),
  answers('5-for-3-blocks', 'the same in two blocks'),
  answers('3-for-5', 'three bytes for `Content-Length: 5`'),
  answers('no-reason', 'the status `200`, without a reason', 'fields'),
  answers('space-for-reason', 'the status `200` and a space', 'fields'),
  answers('unknown-status', 'the status `299 Weird`', 'fields'),
  answers('latin-reason', 'a reason outside ASCII', 'fields'),
  answers('latin-field', 'a field value outside ASCII', 'fields'),
  answers('empty-field', 'an empty field value', 'fields'),
  answers('own-fields', 'its own `Server` and `Date`', 'fields'),
  answers('close', '`Connection: close`', 'fields'),
  answers('keep-alive', '`Connection: keep-alive`', 'fields'),
  answers('raise', 'an exception'),
  answers('raise-later', 'an exception after the first block'),
  answers('late', '`start_response` in the first iteration'),
  answers('write', '`write()` twice, then a block'),
  answers('hint', '`wsgi.early_hints`, where it is there'),
  answers('file', '`wsgi.file_wrapper`, where it is there', 'fields'),
];
