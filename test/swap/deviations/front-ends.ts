import type { Deviation } from '../deviation.ts';

const CGI = ['uwsgi', 'fastcgi', 'scgi'] as const;

/** Deviations of front-end proxies before any application server. */
export const FROM_FRONT_ENDS: readonly Deviation[] = [
  {
    frontEnd: 'nginx',
    backend: ['gunicorn', 'uWSGI'],
    protocol: CGI,
    case: 'field: repeated',
    outcome: '"two" arrives',
    reason: 'nginx before 1.23 sends one variable for each, and the last one counts',
  },
  {
    frontEnd: 'Apache',
    protocol: 'uwsgi',
    case: ['path: %2F', 'path: %252F'],
    outcome: 'status 500',
    reason: 'mod_proxy_uwsgi refuses paths with an encoded slash or percent sign',
  },
  {
    frontEnd: 'Apache',
    protocol: ['uwsgi', 'scgi'],
    case: ['upload in chunks', 'upload in chunks, 3 MB'],
    outcome: 'status 411',
    reason: 'mod_proxy_uwsgi and mod_proxy_scgi do not accept content without a length',
  },
  {
    frontEnd: 'Apache',
    protocol: ['fastcgi', 'scgi'],
    case: ['large response', 'HEAD'],
    outcome: 'Content-Length is ""',
    reason: 'Apache removes the length of a response and sends the response in chunks',
  },
  {
    frontEnd: 'lighttpd',
    case: 'path: double slash',
    outcome: 'PATH_INFO is "/echo/a/b"',
    reason: 'lighttpd merges two slashes into one',
  },
  {
    frontEnd: 'lighttpd',
    protocol: CGI,
    case: 'field: underscore',
    outcome: 'X_User arrives as HTTP_X_USER',
    reason: 'lighttpd uses the same variable for `X_User` and `X-User`',
  },
  {
    frontEnd: 'lighttpd',
    protocol: CGI,
    case: 'field: underscore beside hyphen',
    outcome: '"mallory" arrives as HTTP_X_USER',
    reason: 'lighttpd uses the same variable for `X_User` and `X-User`, and the last one counts',
  },
  {
    frontEnd: 'HAProxy',
    backend: 'uWSGI',
    protocol: 'fastcgi',
    case: 'field: repeated',
    outcome: '"two" arrives',
    reason: 'HAProxy sends one variable for each, and the last one counts',
  },
  {
    frontEnd: 'HAProxy',
    protocol: 'fastcgi',
    case: 'upload in chunks, 3 MB',
    outcome: ['status 400', 'no response'],
    reason: 'over FastCGI, HAProxy accepts content without a length only if all of it fits into its buffer',
  },
];
