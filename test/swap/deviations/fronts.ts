import type { Deviation } from '../deviations.ts';

const GATEWAY = ['uwsgi', 'fastcgi', 'scgi'] as const;

/** What web servers do otherwise, whatever stands behind them. */
export const FROM_FRONTS: readonly Deviation[] = [
  {
    front: 'nginx',
    protocol: GATEWAY,
    case: 'field: repeated',
    says: '"two" arrives',
    because: 'nginx before 1.23 sends a variable for each, of which the last one counts',
  },
  {
    front: 'Apache',
    protocol: 'uwsgi',
    case: ['path: %2F', 'path: %252F'],
    says: 'status 500',
    because: 'mod_proxy_uwsgi refuses paths that hold an encoded slash or percent sign',
  },
  {
    front: 'Apache',
    protocol: ['uwsgi', 'scgi'],
    case: ['upload in chunks', 'upload in chunks, 3 MB'],
    says: 'status 411',
    because: 'mod_proxy_uwsgi and mod_proxy_scgi take no content without length',
  },
  {
    front: 'Apache',
    protocol: ['fastcgi', 'scgi'],
    case: ['large response', 'HEAD'],
    says: 'Content-Length is ""',
    because: 'Apache leaves out the length of a response and sends it in chunks',
  },
  {
    front: 'lighttpd',
    case: 'path: double slash',
    says: 'PATH_INFO is "/echo/a/b"',
    because: 'lighttpd makes one slash of two',
  },
  {
    front: 'lighttpd',
    protocol: GATEWAY,
    case: 'field: underscore',
    says: 'X_User arrives as HTTP_X_USER',
    because: 'lighttpd makes the same variable of `X_User` and `X-User`',
  },
  {
    front: 'lighttpd',
    protocol: GATEWAY,
    case: 'field: underscore beside hyphen',
    says: '"mallory" arrives as HTTP_X_USER',
    because: 'lighttpd makes the same variable of `X_User` and `X-User`, and the last one counts',
  },
  {
    front: 'HAProxy',
    protocol: 'fastcgi',
    case: 'field: repeated',
    says: '"two" arrives',
    because: 'HAProxy sends a variable for each, of which the last one counts',
  },
  {
    front: 'HAProxy',
    protocol: 'fastcgi',
    case: 'upload in chunks, 3 MB',
    says: ['status 400', 'no response'],
    because: 'HAProxy takes content without length over FastCGI only as far as its buffer holds all of it',
  },
];
