import type { Deviation } from '../deviations.ts';

const UNDERSCORE = 'uWSGI and granian make the same variable of `X_User` and `X-User`';

/** What application servers do otherwise, whatever stands before them. */
export const FROM_BACKENDS: readonly Deviation[] = [
  {
    backend: ['gunicorn', 'granian'],
    case: 'address',
    says: 'REMOTE_ADDR is "127.0.0.1"',
    because: 'gunicorn and granian leave `X-Forwarded-For` to the application',
  },
  {
    backend: 'uWSGI',
    protocol: 'http',
    case: 'address',
    says: 'REMOTE_ADDR is "127.0.0.1"',
    because: 'the HTTP sockets of uWSGI leave `X-Forwarded-For` to the application',
  },
  {
    backend: 'granian',
    case: 'https',
    says: 'the scheme is "http"',
    because: 'granian leaves `X-Forwarded-Proto` to the application',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'path: %252F',
    says: 'PATH_INFO is "/echo/a/b"',
    because: 'gunicorn decodes `PATH_INFO`, which is decoded already, once more',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'path: UTF-8',
    says: 'PATH_INFO is "/echo/cafÃ\\x83Â©"',
    because: 'gunicorn encodes the bytes of `PATH_INFO` once more',
  },
  {
    backend: 'granian',
    case: 'field: latin-1',
    says: 'HTTP_X_LATIN is ""',
    because: 'granian gives only ASCII to the application',
  },
  {
    backend: 'granian',
    case: 'response fields',
    says: 'X-Latin is "cafÃ©"',
    because: 'granian sends values in UTF-8, where PEP 3333 has latin-1',
  },
  {
    front: ['Apache', 'HAProxy', 'lighttpd'],
    backend: ['uWSGI', 'granian'],
    protocol: 'http',
    case: 'field: underscore',
    says: 'X_User arrives as HTTP_X_USER',
    because: UNDERSCORE,
  },
  {
    front: ['Apache', 'HAProxy', 'lighttpd'],
    backend: 'uWSGI',
    protocol: 'http',
    case: 'field: underscore beside hyphen',
    says: '"alice, mallory" arrives as HTTP_X_USER',
    because: UNDERSCORE,
  },
  {
    front: ['Apache', 'HAProxy', 'lighttpd'],
    backend: 'granian',
    case: 'field: underscore beside hyphen',
    says: '"mallory" arrives as HTTP_X_USER',
    because: UNDERSCORE,
  },
  {
    front: ['nginx', 'HAProxy', 'Viaduct'],
    backend: 'uWSGI',
    framework: 'WSGI',
    case: 'exception',
    says: 'status 502',
    because: 'uWSGI closes the connection without a response',
  },
  {
    backend: ['uWSGI', 'granian'],
    case: 'broken off, no length',
    says: 'looks whole',
    because: 'uWSGI, granian and gunicorn over uwsgi end a response that the application broke off as any other',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'broken off, no length',
    says: 'looks whole',
    because: 'uWSGI, granian and gunicorn over uwsgi end a response that the application broke off as any other',
  },
  {
    front: 'nginx',
    backend: ['uWSGI', 'granian'],
    framework: 'Django',
    case: 'no content',
    says: 'there is a Content-Length',
    because:
      "uWSGI and granian pass Django's `Content-Length: 0` on, which a 204 must not have (RFC 9110 section 8.6), and so does nginx",
  },
];
