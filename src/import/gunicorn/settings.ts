import { SETTINGS, type SettingName } from '../../config/settings.ts';
import type { Value } from '../config-builder.ts';
import type { Statement } from '../import-report.ts';
import { setCertificate, setDirectory, setSetting, type WsgiContext } from '../wsgi-config-builder.ts';

/** Carries over the value of a setting. */
type Carry = (value: unknown, from: Statement, context: WsgiContext) => void;

const set =
  (name: SettingName, change: (value: unknown) => Value = (value) => value as Value): Carry =>
  (value, from, context) =>
    setSetting(name, change(value), from, context);
const seconds = (name: SettingName) => set(name, (value) => `${Number(value)}s`);
const lost =
  (reason: string): Carry =>
  (_, from, { ledger }) =>
    ledger.lost(from, reason);
const needless =
  (reason: string): Carry =>
  (_, from, { ledger }) =>
    ledger.needless(from, reason);

const STATSD = 'Viaduct sends no metrics to statsd';
const STUCK = 'requests have no time limit of their own; response_timeout_ms is for backends';
const RECYCLED = 'workers are not replaced after a number of requests';

/** Every setting of gunicorn that says something to Viaduct. */
export const GUNICORN: Readonly<Record<string, Carry>> = {
  bind: writeBind,
  wsgi_app: set('target', (value) => String(value).replace(/^([^:]+)$/, '$1:application')),
  chdir: (value, from, context) => setDirectory(String(value), from, context),
  workers: set('workers'),
  threads: set('threads'),
  worker_class: writeWorkerClass,
  graceful_timeout: seconds('gracefulTimeoutMs'),
  keepalive: seconds('keepAliveTimeoutMs'),
  preload_app: set('preload'),
  reload: (value, from, context) =>
    value === true ? setSetting('dev', true, from, context) : context.ledger.needless(from, 'that is the default'),
  limit_request_line: limit('requestLineBytesMax'),
  limit_request_fields: limit('headerCountMax'),
  limit_request_field_size: (value, from, context) => {
    if (typeof value === 'number' && value <= SETTINGS.headerBytesMax.default) {
      context.ledger.needless(from, 'header_bytes_max is for all fields of a request together, and 32KiB');
    } else limit('headerBytesMax')(value, from, context);
  },
  user: name('user'),
  group: name('group'),
  backlog: lost('the length of the kernel’s queue is fixed; see queue_max for requests that wait'),
  worker_connections: lost('connections belong to the front, and not to workers; see connections_max'),
  timeout: lost(STUCK),
  max_requests: lost(RECYCLED),
  max_requests_jitter: lost(RECYCLED),
  umask: lost('set it where Viaduct is started, or mode=660 behind the path of a socket'),
  pythonpath: lost('set PYTHONPATH where Viaduct is started, or chdir'),
  raw_env: writeEnvironment,
  accesslog: writeAccessLog,
  access_log_format: lost('formats have names: text, json and combined'),
  errorlog: needless('errors go to standard error'),
  loglevel: needless('there are no levels to choose'),
  capture_output: needless('what workers print is passed on'),
  disable_redirect_access_to_syslog: needless('nothing goes to syslog'),
  syslog: lost('the service manager takes what is written to standard output'),
  logconfig: lost('the access log has four formats, and the application its own logging'),
  logconfig_dict: lost('the access log has four formats, and the application its own logging'),
  certfile: (value, from, context) => setCertificate('certificate', String(value), from, context),
  keyfile: (value, from, context) => setCertificate('key', String(value), from, context),
  ca_certs: (value, from, context) => setCertificate('client_ca', String(value), from, context),
  cert_reqs: writeClientCertificates,
  ssl_version: needless('TLS 1.2 and 1.3 are spoken'),
  ciphers: needless('only ciphers with forward secrecy are spoken'),
  do_handshake_on_connect: needless('handshakes have a time limit'),
  suppress_ragged_eofs: needless('Viaduct decides that itself'),
  forwarded_allow_ips: writeTrusted,
  secure_scheme_headers: needless('X-Forwarded-Proto and Forwarded of trusted proxies are believed'),
  proxy_protocol: writeProxyProtocol,
  proxy_allow_ips: writeTrusted,
  daemon: needless('the service manager keeps it running'),
  pidfile: needless('the service manager knows the process'),
  worker_tmp_dir: needless('workers need no file to show that they live'),
  tmp_upload_dir: needless('content waits in memory or in TMPDIR'),
  sendfile: needless('files are sent by the front'),
  reuse_port: needless('fronts share their sockets'),
  proc_name: needless('processes keep their names'),
  default_proc_name: needless('processes keep their names'),
  initgroups: needless('a user comes with its groups'),
  strip_header_spaces: needless('such fields are refused'),
  header_map: needless('spellings with _ are told apart'),
  forwarder_headers: needless('SCRIPT_NAME is set by mount'),
  check_config: needless('"viaduct check" does that'),
  spew: lost('there is nothing like it'),
  paste: lost('name the application with target'),
  dirty_apps: lost('there is nothing like it'),
  reload_engine: needless('files are watched'),
  reload_extra_files: lost('the files of the project are watched'),
  statsd_host: lost(STATSD),
  statsd_prefix: lost(STATSD),
  dogstatsd_tags: lost(STATSD),
  instrument_unix_signals: lost('there is nothing like it'),
};

function limit(setting: SettingName): Carry {
  return (value, from, context) =>
    value === 0
      ? context.ledger.lost(from, 'nothing is without a limit here')
      : setSetting(setting, value as Value, from, context);
}

function name(setting: 'user' | 'group'): Carry {
  return (value, from, context) => {
    if (setting === 'group' && context.draft.get('user') === undefined)
      context.ledger.differs(from, 'group needs user beside it');
    setSetting(setting, value as Value, from, context);
  };
}

function writeBind(value: unknown, from: Statement, context: WsgiContext): void {
  const addresses = (Array.isArray(value) ? value : String(value).split(',')).map((one) =>
    addressOf(String(one).trim()),
  );
  setSetting('listen', addresses, from, context);
}

/** Without a port gunicorn takes 8000. */
function addressOf(bind: string): string {
  const plain = bind.replace(/^(?:tcp|http):\/\//, '').replace(/^fd:\/\//, 'fd:');
  if (/^(?:unix:|fd:)/.test(plain)) return plain.replace(/^unix:\/\//, 'unix:');
  if (/^\d+$/.test(plain)) return `0.0.0.0:${plain}`;
  if (plain.startsWith(':')) return `0.0.0.0${plain}`;
  return /:\d+$/.test(plain) ? plain : `${plain}:8000`;
}

function writeWorkerClass(value: unknown, from: Statement, { ledger }: WsgiContext): void {
  const kind = String(value);
  if (kind === 'sync' || kind === 'gthread')
    ledger.needless(from, 'workers have threads; one of them is a sync worker');
  else if (/asgi|uvicorn|aiohttp/i.test(kind)) ledger.lost(from, 'Viaduct serves WSGI, and this class serves ASGI');
  else ledger.lost(from, 'there are processes and threads; give more threads where many requests wait');
}

function writeEnvironment(value: unknown, from: Statement, { draft, ledger }: WsgiContext): void {
  const all = Array.isArray(value) ? value.map(String) : [String(value)];
  ledger.lost(from, 'set these variables where Viaduct is started, such as Environment= of systemd');
  draft.remarks.push(...all.map((one) => `in the environment: ${one.replace(/[^\x20-\x7e]/g, '?')}`));
}

function writeAccessLog(value: unknown, from: Statement, context: WsgiContext): void {
  if (value === null) {
    setSetting('accessLog', 'off', from, context);
    return;
  }
  setSetting('accessLog', 'combined', from, context);
  if (value !== '-') context.ledger.differs(from, 'it goes to standard output');
}

function writeTrusted(value: unknown, from: Statement, { draft, ledger }: WsgiContext): void {
  const all = (Array.isArray(value) ? value : String(value).split(','))
    .map((one) => String(one).trim())
    .filter((one) => one !== '');
  ledger.took(from);
  for (const one of all) draft.push('trusted_proxies', one === '*' ? 'all' : one, from);
  const isLocal = all.every((one) => one === '127.0.0.1' || one === '::1');
  if (!isLocal) draft.push('trusted_proxies', 'unix', from);
}

function writeClientCertificates(value: unknown, from: Statement, { draft, ledger }: WsgiContext): void {
  const mode = ['off', 'optional', 'required'][Number(value)];
  if (mode === undefined || draft.tables.get('tls')?.get('client_ca') === undefined)
    ledger.lost(from, 'it needs ca_certs above it');
  else {
    draft.table('tls').set('client_certificates', mode, from);
    ledger.took(from);
  }
}

function writeProxyProtocol(value: unknown, from: Statement, { draft, ledger }: WsgiContext): void {
  if (value === false || value === 'off') {
    ledger.needless(from, 'that is the default');
    return;
  }
  const listen = draft.values.get('listen');
  const addresses = (listen?.value ?? ['127.0.0.1:8000']) as readonly string[];
  ledger.took(from);
  draft.set(
    'listen',
    addresses.map((one) => `${one}?proxy_protocol=on`),
    ...(listen?.from ?? []),
    from,
  );
}
