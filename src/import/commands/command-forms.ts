import type { SettingName } from '../../config/settings.ts';
import type { Value } from '../config-builder.ts';
import { writeTrusted } from '../gunicorn/trust.ts';
import type { Statement } from '../import-report.ts';
import {
  isMount,
  setCertificate,
  setDirectory,
  setSetting,
  type WsgiContext,
  writeMainMount,
} from '../wsgi-config-builder.ts';
import type { ServerName } from './command-line.ts';

export type OtherServer = Exclude<ServerName, 'gunicorn' | 'uwsgi'>;

/** Carries over an option. The value of a switch is `true`. */
type Carry = (value: string, from: Statement, context: WsgiContext) => void;

/** The command line of a server: what its options become, and what it does without them. */
export interface CommandForm {
  readonly short: Readonly<Record<string, string>>;
  /** Options without a value. */
  readonly switches: ReadonlySet<string>;
  readonly options: Readonly<Record<string, Carry>>;
  readonly port: string;
  readonly host: string;
  readonly threads: number;
}

const number = (name: SettingName): Carry => set(name, (text) => (/^\d+$/.test(text) ? Number(text) : text));
const text = (name: SettingName): Carry => set(name, String);
const seconds = (name: SettingName): Carry => set(name, (value) => (/^\d+$/.test(value) ? `${value}s` : value));
const needless: Carry = (_, from, { report }) => report.needless(from, 'no setting is needed');
const took: Carry = (_, from, { report }) => report.took(from);
const directory: Carry = (value, from, context) => setDirectory(value, from, context);
const certificate =
  (key: 'certificate' | 'key' | 'client_ca'): Carry =>
  (path, from, context) =>
    setCertificate(key, path, from, context);

function set(name: SettingName, form: (text: string) => Value): Carry {
  return (value, from, context) => setSetting(name, form(value), from, context);
}

function lost(reason: string): Carry {
  return (_, from, { report }) => report.lost(from, reason);
}

/** The same for all options of a text. */
function each(names: string, carry: Carry): Record<string, Carry> {
  return Object.fromEntries(names.split(' ').map((name) => [name, carry]));
}

const DEVELOPMENT = lost(
  'it is for development: start Viaduct with --dev there. It shows tracebacks, so never where others reach it',
);
const METRICS = lost('set admin for the metrics');

const noAccessLog: Carry = (_, from, context) => setSetting('accessLog', 'off', from, context);

/** These servers also give SCRIPT_NAME to requests outside of the prefix, from which a front-end proxy has cut it off. */
const prefixed: Carry = (value, from, { builder, report }) => {
  const mount = `/${value.replace(/^\/+|\/+$/g, '')}`;
  if (!isMount(mount)) {
    report.lost(from, 'it is not a path that routes can have');
    return;
  }
  writeMainMount(mount, from, builder);
  report.differs(from, 'the front-end proxy must leave the prefix in the path: requests without it get no SCRIPT_NAME');
};

const fixedScheme: Carry = (value, from, { report }) => {
  if (value === 'http') report.needless(from, 'this is the default');
  else
    report.danger(
      from,
      'all requests would get the scheme http: let the front-end proxy send X-Forwarded-Proto, and name it in trusted_proxies',
    );
};

const interfaceOf: Carry = (value, from, { report }) =>
  value === 'wsgi' ? report.needless(from, 'Viaduct serves WSGI') : report.lost(from, 'Viaduct serves WSGI only');

const clientVerification: Carry = (_, from, { builder, report }) => {
  builder.table('tls').set('client_certificates', 'required', from);
  report.took(from);
};

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

const MOD_WSGI_EXPRESS: CommandForm = {
  short: {},
  switches: new Set(
    [
      'log-to-terminal reload-on-changes startup-log access-log rotate-logs setup-only debug-mode trust-proxy',
      'enable-sendfile https-only hsts-policy',
    ].flatMap((names) => names.split(' ')),
  ),
  options: {
    ...each('host port application-type', took),
    ...each('log-to-terminal log-directory log-level startup-log access-log rotate-logs server-root', needless),
    ...each('httpd-executable httpd-user modules-directory enable-sendfile', needless),
    processes: number('workers'),
    threads: number('threads'),
    user: text('user'),
    group: text('group'),
    'maximum-requests': number('maxRequests'),
    'request-timeout': seconds('requestTimeoutMs'),
    'limit-request-body': number('bodyBytesMax'),
    'working-directory': directory,
    'mount-point': prefixed,
    'reload-on-changes': DEVELOPMENT,
  },
  port: '8000',
  host: '0.0.0.0',
  threads: 5,
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
