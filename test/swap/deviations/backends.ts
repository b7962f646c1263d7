import type { Deviation } from '../deviation.ts';

const UNDERSCORE = 'uWSGI and granian use the same variable for `X_User` and `X-User`';

/** Deviations of application servers behind any front-end proxy. */
export const FROM_BACKENDS: readonly Deviation[] = [
  {
    backend: ['gunicorn', 'granian'],
    case: 'address',
    outcome: 'REMOTE_ADDR is "127.0.0.1"',
    reason: 'gunicorn and granian leave `X-Forwarded-For` to the application',
  },
  {
    backend: 'uWSGI',
    protocol: 'http',
    case: 'address',
    outcome: 'REMOTE_ADDR is "127.0.0.1"',
    reason: 'the HTTP sockets of uWSGI leave `X-Forwarded-For` to the application',
  },
  {
    backend: 'granian',
    case: 'https',
    outcome: 'the scheme is "http"',
    reason: 'granian leaves `X-Forwarded-Proto` to the application',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'path: %252F',
    outcome: 'PATH_INFO is "/echo/a/b"',
    reason: 'gunicorn decodes `PATH_INFO` a second time',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'path: UTF-8',
    outcome: 'PATH_INFO is "/echo/cafÃ\\x83Â©"',
    reason: 'gunicorn encodes the bytes of `PATH_INFO` a second time',
  },
  {
    backend: 'granian',
    case: 'field: latin-1',
    outcome: 'HTTP_X_LATIN is ""',
    reason: 'granian passes only ASCII values to the application',
  },
  {
    backend: 'granian',
    case: 'response fields',
    outcome: 'X-Latin is "cafÃ©"',
    reason: 'granian sends values in UTF-8, but PEP 3333 requires latin-1',
  },
  {
    frontEnd: ['Apache', 'HAProxy', 'lighttpd'],
    backend: ['uWSGI', 'granian'],
    protocol: 'http',
    case: 'field: underscore',
    outcome: 'X_User arrives as HTTP_X_USER',
    reason: UNDERSCORE,
  },
  {
    frontEnd: ['Apache', 'HAProxy', 'lighttpd'],
    backend: 'uWSGI',
    protocol: 'http',
    case: 'field: underscore beside hyphen',
    outcome: '"alice, mallory" arrives as HTTP_X_USER',
    reason: UNDERSCORE,
  },
  {
    frontEnd: ['Apache', 'HAProxy', 'lighttpd'],
    backend: 'granian',
    case: 'field: underscore beside hyphen',
    outcome: '"mallory" arrives as HTTP_X_USER',
    reason: UNDERSCORE,
  },
  {
    frontEnd: ['nginx', 'HAProxy', 'Viaduct'],
    backend: 'uWSGI',
    framework: 'WSGI',
    case: 'exception',
    outcome: 'status 502',
    reason: 'uWSGI closes the connection without a response',
  },
  {
    backend: ['uWSGI', 'granian'],
    case: 'broken off, no length',
    outcome: 'looks complete',
    reason: 'uWSGI, granian and gunicorn over uwsgi end a broken response like a complete one',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'broken off, no length',
    outcome: 'looks complete',
    reason: 'uWSGI, granian and gunicorn over uwsgi end a broken response like a complete one',
  },
  {
    frontEnd: 'nginx',
    backend: ['uWSGI', 'granian'],
    framework: 'Django',
    case: 'no content',
    outcome: 'there is a Content-Length',
    reason:
      "uWSGI, granian and nginx pass on Django's `Content-Length: 0`, which a 204 must not have (RFC 9110 section 8.6)",
  },
];
