import { writeTrusted } from '../gunicorn/trust.ts';
import {
  type CommandForm,
  certificate,
  clientVerification,
  DEVELOPMENT,
  directory,
  each,
  fixedScheme,
  interfaceOf,
  lost,
  METRICS,
  needless,
  noAccessLog,
  number,
  prefixed,
  seconds,
  set,
  took,
} from './carry.ts';
import type { ServerName } from './command-line.ts';
import { MOD_WSGI_EXPRESS } from './mod-wsgi-express.ts';

export type OtherServer = Exclude<ServerName, 'gunicorn' | 'uwsgi'>;

const WAITRESS: CommandForm = {
  short: {},
  switches: new Set(
    [
      'help call no-call ipv4 no-ipv4 ipv6 no-ipv6 expose-tracebacks no-expose-tracebacks asyncore-use-poll',
      'no-asyncore-use-poll log-socket-errors no-log-socket-errors log-untrusted-proxy-headers',
      'no-log-untrusted-proxy-headers clear-untrusted-proxy-headers no-clear-untrusted-proxy-headers',
    ].flatMap((names) => names.split(' ')),
  ),
  options: {
    ...each('listen host port unix-socket unix-socket-perms call', took),
    ...each('no-call ident backlog recv-bytes send-bytes outbuf-overflow outbuf-high-watermark', needless),
    ...each('inbuf-overflow cleanup-interval asyncore-loop-timeout asyncore-use-poll no-asyncore-use-poll', needless),
    ...each('channel-request-lookahead ipv4 no-ipv4 ipv6 no-ipv6 no-expose-tracebacks server-name', needless),
    ...each('log-socket-errors no-log-socket-errors log-untrusted-proxy-headers', needless),
    ...each('no-log-untrusted-proxy-headers clear-untrusted-proxy-headers trusted-proxy-count', needless),
    threads: number('threads'),
    'connection-limit': number('connectionsMax'),
    'max-request-body-size': number('bodyBytesMax'),
    'max-request-header-size': number('headerBytesMax'),
    'channel-timeout': seconds('keepAliveTimeoutMs'),
    'expose-tracebacks': DEVELOPMENT,
    'url-prefix': prefixed,
    'url-scheme': fixedScheme,
    'trusted-proxy': writeTrusted,
    'trusted-proxy-headers': lost('X-Forwarded-For, -Proto, -Host and Forwarded of trusted proxies count'),
    'no-clear-untrusted-proxy-headers': lost('the application does not see what proxies that are not trusted say'),
  },
  port: '8080',
  host: '0.0.0.0',
  threads: 4,
};

const GRANIAN: CommandForm = {
  short: {},
  switches: new Set(
    [
      'ws http1-keep-alive http1-pipeline-flush http2-adaptive-window log access-log ssl-client-verify',
      'respawn-failed-workers factory metrics reload reload-ignore-worker-failure',
    ]
      .flatMap((names) => names.split(' '))
      .flatMap((name) => [name, `no-${name}`])
      .concat('version'),
  ),
  options: {
    ...each('host port uds uds-permissions factory', took),
    ...each('http ws no-ws blocking-threads-idle-timeout runtime-threads runtime-blocking-threads', needless),
    ...each('runtime-mode loop task-impl backlog backpressure http1-buffer-size http1-keep-alive', needless),
    ...each('no-http1-keep-alive http1-pipeline-flush no-http1-pipeline-flush http2-adaptive-window', needless),
    ...each('no-http2-adaptive-window http2-initial-connection-window-size', needless),
    ...each('http2-initial-stream-window-size http2-keep-alive-interval http2-keep-alive-timeout', needless),
    ...each('http2-max-frame-size http2-max-send-buffer-size log no-log log-level access-log', needless),
    ...each('ssl-protocol-min no-ssl-client-verify respawn-failed-workers no-respawn-failed-workers', needless),
    ...each('respawn-interval rss-sample-interval rss-samples no-factory no-metrics no-reload', needless),
    ...each('reload-paths reload-ignore-dirs reload-ignore-patterns reload-ignore-paths reload-tick', needless),
    ...each('reload-ignore-worker-failure no-reload-ignore-worker-failure process-name pid-file version', needless),
    ...each('metrics metrics-scrape-interval metrics-address metrics-port', METRICS),
    interface: interfaceOf,
    workers: number('workers'),
    'blocking-threads': number('threads'),
    'http1-header-read-timeout': set('headerTimeoutMs', (value) => `${value}ms`),
    'http2-max-concurrent-streams': number('http2StreamsMax'),
    'http2-max-headers-size': number('headerBytesMax'),
    'workers-lifetime': seconds('maxLifetimeMs'),
    'workers-kill-timeout': seconds('gracefulTimeoutMs'),
    'workers-max-rss': set('maxRssBytes', (value) => `${value}MiB`),
    'working-dir': directory,
    'no-access-log': noAccessLog,
    'access-log-fmt': lost('write it as access_log_format, with the directives of Apache'),
    'log-config': lost('the application configures its own logging'),
    'ssl-certificate': certificate('certificate'),
    'ssl-keyfile': certificate('key'),
    'ssl-keyfile-password': lost('write a passphrase into [tls]'),
    'ssl-ca': certificate('client_ca'),
    'ssl-client-verify': clientVerification,
    'ssl-crl': lost('there is no list of revoked certificates'),
    'url-path-prefix': prefixed,
    'static-path-mount': (value, from, { builder, report, pathOf }) => {
      builder.table('static').set('/static/', pathOf(value), from);
      report.took(from);
    },
    'static-path-route': lost('write it as the key of the directory in [static]'),
    'static-path-dir-to-file': lost('see index in static_options of a route'),
    'static-path-expires': lost('see cache_control in static_options of a route'),
    'env-files': lost('set the variables in the environment of Viaduct'),
    reload: DEVELOPMENT,
  },
  port: '8000',
  host: '127.0.0.1',
  threads: 1,
};

const DAPHNE: CommandForm = {
  short: { b: 'bind', p: 'port', u: 'unix-socket', t: 'http-timeout', v: 'verbosity' },
  switches: new Set(['proxy-headers', 'no-server-name']),
  options: {
    ...each('bind port unix-socket', took),
    ...each('verbosity access-log server-name no-server-name websocket_timeout websocket_connect_timeout', needless),
    ...each('ping-interval ping-timeout application-close-timeout', needless),
    'http-timeout': seconds('requestTimeoutMs'),
    'root-path': prefixed,
  },
  port: '8000',
  host: '127.0.0.1',
  threads: 4,
};

export const FORMS: Readonly<Record<OtherServer, CommandForm>> = {
  waitress: WAITRESS,
  granian: GRANIAN,
  'mod_wsgi-express': MOD_WSGI_EXPRESS,
  daphne: DAPHNE,
};
