import type { Deviation } from '../deviations.ts';

const UNDERSCORE = 'fields with underscores become the same variables as those with hyphens';

/** What application servers do otherwise, whatever stands before them. */
export const FROM_BACKENDS: readonly Deviation[] = [
  {
    backend: ['gunicorn', 'granian'],
    case: 'address',
    says: 'REMOTE_ADDR is "127.0.0.1"',
    because: 'it leaves `X-Forwarded-For` to the application',
  },
  {
    backend: 'uWSGI',
    protocol: 'http',
    case: 'address',
    says: 'REMOTE_ADDR is "127.0.0.1"',
    because: 'its HTTP sockets leave `X-Forwarded-For` to the application',
  },
  {
    backend: 'granian',
    case: 'https',
    says: 'the scheme is "http"',
    because: 'it leaves `X-Forwarded-Proto` to the application',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'path: %252F',
    says: 'PATH_INFO is "/echo/a/b"',
    because: 'it decodes `PATH_INFO`, which is decoded already, once more',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'path: UTF-8',
    says: 'PATH_INFO is "/echo/cafÃ\x83Â©"',
    because: 'it encodes the bytes of `PATH_INFO` once more',
  },
  {
    backend: 'granian',
    case: 'field: latin-1',
    says: 'HTTP_X_LATIN is ""',
    because: 'it gives only ASCII to the application',
  },
  {
    backend: 'granian',
    case: 'response fields',
    says: 'X-Latin is "cafÃ©"',
    because: 'it sends values in UTF-8, where PEP 3333 has latin-1',
  },
  {
    front: ['Apache', 'HAProxy', 'lighttpd', 'Viaduct'],
    backend: ['uWSGI', 'granian'],
    protocol: 'http',
    case: 'field: underscore',
    says: 'X_User arrives as HTTP_X_USER',
    because: UNDERSCORE,
  },
  {
    front: ['Apache', 'HAProxy', 'lighttpd', 'Viaduct'],
    backend: 'uWSGI',
    protocol: 'http',
    case: 'field: underscore beside hyphen',
    says: '"alice, mallory" arrives as HTTP_X_USER',
    because: UNDERSCORE,
  },
  {
    front: ['Apache', 'HAProxy', 'lighttpd', 'Viaduct'],
    backend: 'granian',
    case: 'field: underscore beside hyphen',
    says: '"mallory" arrives as HTTP_X_USER',
    because: UNDERSCORE,
  },
  {
    backend: 'uWSGI',
    framework: 'WSGI',
    case: 'exception',
    says: 'status 502',
    because: 'it closes the connection without a response',
  },
  {
    backend: ['uWSGI', 'granian'],
    case: 'broken off, no length',
    says: 'looks whole',
    because: 'it ends a response that the application broke off as any other',
  },
  {
    backend: 'gunicorn',
    protocol: 'uwsgi',
    case: 'broken off, no length',
    says: 'looks whole',
    because: 'it ends a response that the application broke off as any other',
  },
  {
    front: 'nginx',
    backend: ['uWSGI', 'granian'],
    framework: 'Django',
    case: 'no content',
    says: 'there is a Content-Length',
    because:
      "it passes Django's `Content-Length: 0` on, which a 204 must not have (RFC 9110 section 8.6), and so does nginx",
  },
];
