import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  fields,
  frame,
  HEADERS,
  PING,
  PRIORITY,
  RST_STREAM,
  request,
  SETTINGS,
  section,
  setting,
  windowUpdate,
} from '../support/http2-frames.ts';
import { type FuzzedDoor, ordinaryRequest } from './doors.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const CGI_POST = variablesOf({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5', PATH_INFO: '/token/fuzz/0' });

const HTTP1 = [
  ordinaryRequest('http1'),
  'GET /files/page.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9\r\nIf-None-Match: "x"\r\nAccept-Encoding: gzip\r\n\r\n',
  'POST /token/fuzz/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello',
  'POST /token/fuzz/0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n',
  'POST /proxied/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'PUT /proxied/b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  'GET http://a/proxied/c?d=e HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nCookie: f=g; h=i\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /fine HTTP/1.0\r\n\r\n',
  'GET /fine HTTP/1.1\r\nHost: a\r\n\r\nGET /fine HTTP/1.1\r\nHost: a\r\n\r\n',
];

const HTTP2 = [
  [frame(SETTINGS, 0, 0), request(1, fields({ ':path': '/fine' }))],
  [setting(4, 10), request(1, fields({ ':path': '/files/page.txt' })), windowUpdate(1, 1000), windowUpdate(0, 1000)],
  [
    frame(SETTINGS, 0, 0),
    request(1, fields({ ':method': 'POST', ':path': '/token/fuzz/0' }, [['content-length', '5']]), END_HEADERS),
    frame(DATA, END_STREAM, 1, 'hello'),
    frame(PING, 0, 0, '12345678'),
  ],
  [
    frame(SETTINGS, 0, 0),
    frame(HEADERS, END_STREAM, 1, section(fields({ ':path': '/proxied/a' })).subarray(0, 10)),
    frame(CONTINUATION, END_HEADERS, 1, section(fields({ ':path': '/proxied/a' })).subarray(10)),
    frame(PRIORITY, 0, 3, '\0\0\0\0\x10'),
  ],
  [
    frame(SETTINGS, 0, 0),
    request(1, fields({ ':method': 'POST', ':path': '/proxied/b' }), END_HEADERS),
    frame(DATA, 0, 1, 'hel'),
    frame(HEADERS, END_HEADERS | END_STREAM, 1, section([['x-trailer', 'y']])),
    request(3, fields({ ':path': '/large/1' })),
    frame(RST_STREAM, 0, 3, '\0\0\0\x08'),
  ],
].map((frames) => PREFACE + Buffer.concat(frames).toString('latin1'));

/** Valid messages of each protocol, from which a fuzzer makes others. The octets are latin-1. */
export const SEEDS: Readonly<Record<FuzzedDoor, readonly string[]>> = {
  http1: HTTP1,
  http2: HTTP2,
  'proxy-protocol': [
    ordinaryRequest('proxy-protocol'),
    'PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\nGET /fine HTTP/1.1\r\nHost: a\r\n\r\n',
    'PROXY UNKNOWN\r\nGET /fine HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x12\x67\0\x50GET /fine HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  uwsgi: [ordinaryRequest('uwsgi'), encodeRequest('uwsgi', CGI_POST, 'hello')],
  scgi: [ordinaryRequest('scgi'), encodeRequest('scgi', CGI_POST, 'hello')],
  fastcgi: [
    ordinaryRequest('fastcgi'),
    encodeRequest('fastcgi', CGI_POST, 'hello'),
    encodeRequest('fastcgi', CGI_POST, 'hello', true) + encodeRequest('fastcgi', CGI_POST, 'hello', true),
  ],
};
