/** What generated configurations are made of. Few words, so that they meet. */
export const PREFIXES = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/a/b/',
  '/static/',
  '/dir',
  '/dir/',
  '/app/',
  '/app',
  '/x.css',
  '/b',
  '/A/',
  '/é/',
  '/sub/',
];

export const NESTED = ['', 'b', 'b/', 'b/c', 'static/', 'x', 'c.css', 'dir/'];

export const EXACT = ['/', '/a', '/a/', '/x.css', '/dir', '/b', '/app/', '/static/app.js', '/é/ü.html'];

export const PATTERNS = [
  ...['\\.css$', '\\.(css|js)$', '^/a/(.*)$', '^/(?<first>[^/]+)/(.*)$', '\\.php$', '^/static/', 'b', '/$', '^/a(/|$)'],
  ...[
    '^/(a|dir|app)/?$',
    '^/app(?<rest>/.*)?$',
    '^/[ab]/',
    'index\\.html?$',
    '^/(\\w+)/(\\w+)\\.(\\w{2,4})$',
    '(?!.*css)^/a',
    '^/zz',
  ],
];

export const REWRITE_PATTERNS = [
  ...[
    '^/a/(.*)$',
    '^/(.*)$',
    '^',
    '^/dir$',
    '^/app/(.*)/(.*)$',
    '^(/a)(/.*)?$',
    '\\.css$',
    '^/zz/?(.*)$',
    '^/static/(?<rest>.*)$',
    'b',
  ],
];

export const REPLACEMENTS = [
  ...[
    '/$1',
    '/b/$1',
    '/a/$1?x=$1',
    '/dir/',
    '/app/$1?',
    '/static/$1?q=1&r=$arg_a',
    '/index.html',
    '/a/b/c.css',
    '$uri/',
    '/zz',
  ],
  ...['/static/$1?y=2?', '/a/x.php?p=$uri', '/app/$2/$1', '/a$request_uri'],
];

export const REDIRECTS = [
  ...[
    'http://other.example/$1',
    'https://$host$request_uri?',
    'https://$host/a?b=$1',
    '$scheme://other.example$uri',
    '/b/$1',
    '/to?x=$1',
  ],
];

export const TEXTS = [
  ...[
    'plain',
    '$uri',
    '$request_uri',
    '$host',
    '$args',
    '$uri$is_args$args',
    '$1',
    '$2',
    '$http_x_a',
    '$arg_a',
    '$cookie_c',
  ],
  ...[
    '$scheme://$server_name:$server_port',
    '$m0',
    '$m1',
    '$v',
    '$document_root',
    '$request_filename',
    '$request_method',
    '$remote_addr',
  ],
  ...['$document_uri', '$first', '$rest', '$http_host', '[$arg_b]', '$query_string', '$server_protocol'],
];

export const NAMES = [
  ...[
    'example.org',
    'www.example.org',
    '*.example.org',
    '.example.org',
    'example.*',
    '*.sub.example.org',
    '',
    '_',
    'EXAMPLE.net',
  ],
  ...['~^(?<first>.+)\\.example\\.org$', '~^www\\d\\.(.+)$', 'sub.example.org', '*.org', 'www.example.*', '.net'],
  ...['www.*', '~^(?<first>[a-z]+)\\.(?<rest>org|net)$', '~^(www|sub)\\.', '~EXAMPLE\\.(\\w+)$'],
];

export const CONDITIONS: readonly (readonly string[])[] = [
  ...[['($arg_a)'], ['($http_x_a', '=', 'yes)'], ['($http_x_a', '!=', 'yes)'], ['($request_method', '=', 'POST)']],
  ...[
    ['($uri', '~', '^/a/(.*)\\.css)'],
    ['($request_uri', '~*', '\\.CSS$)'],
    ['($host', '!~', '^www)'],
    ['(-f', '$request_filename)'],
  ],
  ...[
    ['(!-d', '$document_root$uri)'],
    ['(!-e', '$request_filename)'],
    ['($m0)'],
    ['($m1', '=', 'one)'],
    ['($args', '~', 'a=(.*))'],
  ],
  ...[
    ['($cookie_c', '~*', '^(x+)y?$)'],
    ['($v', '=', '$arg_a)'],
    ['(-e', '$document_root/b)'],
    ['($scheme', '=', 'https)'],
    ['($http_user_agent', '!~*', 'bot)'],
  ],
];

export const NETWORKS = [
  '127.0.0.1',
  '127.0.0.4/30',
  '127.0.0.0/8',
  '127.1.0.0/16',
  'all',
  '127.0.0.5',
  'unix:',
  '::1',
  '10.0.0.0/8',
];

export const EXPIRES = ['1h', '-1', 'max', 'epoch', 'off', '30d', '0', '1h30m', '$m0'];

export const MAP_SOURCES = [
  '$uri',
  '$host',
  '$http_x_a',
  '$arg_a',
  '$request_method',
  '$http_x_a$arg_a',
  '$cookie_c',
  '$m0',
  '$scheme',
  '$remote_addr',
];

export const MAP_ENTRIES: readonly (readonly [string, string])[] = [
  ...([
    ['default', 'other'],
    ['yes', 'one'],
    ['POST', 'one'],
    ['~^/a/(.*)$', '$1'],
    ['~*\\.CSS$', '1h'],
    ['one', '0'],
  ] as const),
  ...([
    // nobody else reads this group: nginx computes the length of a text first, and then the text with the group set
    ['~(?<mapped>[xy]+)', 'got-$mapped'],
    ['example.org', 'one'],
    ['/b', '/a'],
    ['', 'empty'],
    ['\\default', 'd'],
    ['X', '$uri'],
    ['https', '1'],
  ] as const),
];
