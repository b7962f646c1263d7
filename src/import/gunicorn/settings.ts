import { SETTINGS, type SettingName } from '../../config/settings.ts';
import type { ConfigBuilder, Value } from '../config-builder.ts';
import type { Statement } from '../import-report.ts';
import { templateProblem } from '../log-template.ts';
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
  (_, from, { report }) =>
    report.lost(from, reason);
const needless =
  (reason: string): Carry =>
  (_, from, { report }) =>
    report.needless(from, reason);

const STATSD = 'Viaduct sends no metrics to statsd: set admin for Prometheus, or otlp_url';

/** Settings of gunicorn that matter to Viaduct. */
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
  reload: (value, from, { report }) =>
    value === true
      ? report.lost(
          from,
          'it is for development: start Viaduct with --dev there. It shows tracebacks, so never where others reach it',
        )
      : report.needless(from, 'this is the default'),
  limit_request_line: limit('requestLineBytesMax'),
  limit_request_fields: limit('headerCountMax'),
  limit_request_field_size: (value, from, context) => {
    if (typeof value === 'number' && value <= SETTINGS.headerBytesMax.default) {
      context.report.needless(from, 'header_bytes_max limits all fields of a request together, to 32KiB');
    } else limit('headerBytesMax')(value, from, context);
  },
  user: name('user'),
  group: name('group'),
  backlog: lost("the length of the kernel's queue is fixed; see queue_max for waiting requests"),
  worker_connections: lost('connections belong to the server process, and not to workers; see connections_max'),
  timeout: seconds('requestTimeoutMs'),
  max_requests: set('maxRequests'),
  max_requests_jitter: set('maxRequestsJitter'),
  umask: lost('set it in the environment of Viaduct, or add mode=660 to the path of a socket'),
  pythonpath: (value, from, { report }) =>
    /^(?:\.?\/?,?)*$/.test(String(value))
      ? report.needless(from, 'the directory of the project is searched')
      : report.lost(from, 'set PYTHONPATH in the environment of Viaduct, or set chdir'),
  raw_env: writeEnvironment,
  accesslog: writeAccessLog,
  access_log_format: writeLogFormat,
  errorlog: (value, from, context) =>
    value === '-' || value === null
      ? context.report.needless(from, 'errors go to standard error')
      : setSetting('errorLogFile', context.pathOf(String(value)), from, context),
  loglevel: needless('Viaduct has no log levels to choose from'),
  capture_output: set('captureOutput'),
  disable_redirect_access_to_syslog: needless('nothing goes to syslog'),
  syslog: lost('set access_log_syslog and error_log_syslog to the address of the syslog server'),
  logconfig: lost('choose one of the formats of the access log; the application configures its own logging'),
  logconfig_dict: lost('choose one of the formats of the access log; the application configures its own logging'),
  certfile: (value, from, context) => setCertificate('certificate', String(value), from, context),
  keyfile: (value, from, context) => setCertificate('key', String(value), from, context),
  ca_certs: (value, from, context) => setCertificate('client_ca', String(value), from, context),
  cert_reqs: writeClientCertificates,
  ssl_version: needless('TLS 1.2 and 1.3 are supported'),
  ciphers: needless('only ciphers with forward secrecy are used'),
  do_handshake_on_connect: needless('handshakes have a time limit'),
  suppress_ragged_eofs: needless('Viaduct decides this by itself'),
  forwarded_allow_ips: writeTrusted,
  secure_scheme_headers: writeSchemeFields,
  proxy_protocol: writeProxyProtocol,
  proxy_allow_ips: writeTrusted,
  daemon: needless('the service manager keeps it running'),
  pidfile: needless('the service manager knows the process'),
  worker_tmp_dir: needless('workers need no heartbeat file'),
  tmp_upload_dir: needless('content waits in memory or in TMPDIR'),
  sendfile: needless('files are sent by the server process'),
  reuse_port: needless('server processes share their sockets'),
  proc_name: needless('processes keep their names'),
  default_proc_name: needless('processes keep their names'),
  initgroups: needless('a user comes with its groups'),
  strip_header_spaces: needless('such fields are refused'),
  header_map: needless('names with _ are distinguished'),
  forwarder_headers: needless('SCRIPT_NAME is set by mount'),
  check_config: needless('use "viaduct check"'),
  spew: lost('Viaduct has no counterpart'),
  paste: set('target'),
  dirty_apps: lost('Viaduct has no counterpart'),
  reload_engine: needless('files are watched'),
  reload_extra_files: lost('the files of the project are watched'),
  statsd_host: lost(STATSD),
  statsd_prefix: lost(STATSD),
  dogstatsd_tags: lost(STATSD),
  instrument_unix_signals: lost('Viaduct has no counterpart'),
};

function limit(setting: SettingName): Carry {
  return (value, from, context) =>
    value === 0
      ? context.report.lost(from, 'Viaduct has a limit for everything')
      : setSetting(setting, value as Value, from, context);
}

function name(setting: 'user' | 'group'): Carry {
  return (value, from, context) => {
    if (setting === 'group' && context.builder.get('user') === undefined)
      context.report.differs(from, 'group needs user as well');
    setSetting(setting, value as Value, from, context);
  };
}

function writeBind(value: unknown, from: Statement, context: WsgiContext): void {
  const addresses = (Array.isArray(value) ? value : String(value).split(',')).map((one) =>
    addressOf(String(one).trim()),
  );
  setSetting('listen', addresses, from, context);
}

/** An address. Without a port, gunicorn uses 8000. */
export function addressOf(bind: string): string {
  const plain = bind.replace(/^(?:tcp|http):\/\//, '').replace(/^fd:\/\//, 'fd:');
  if (/^(?:unix:|fd:)/.test(plain)) return plain.replace(/^unix:\/\//, 'unix:');
  if (/^(?:\d+|\$\w*PORT)$/.test(plain)) return `0.0.0.0:${plain}`;
  if (plain.startsWith(':')) return `0.0.0.0${plain}`;
  return /:(?:\d+|\$\w+)$/.test(plain) ? plain : `${plain}:8000`;
}

function writeWorkerClass(value: unknown, from: Statement, { report }: WsgiContext): void {
  const kind = String(value);
  if (kind === 'sync' || kind === 'gthread') report.needless(from, 'workers have threads; one thread is a sync worker');
  else if (/asgi|uvicorn|aiohttp/i.test(kind)) report.lost(from, 'Viaduct serves WSGI, and this class serves ASGI');
  else if (/gevent|eventlet/i.test(kind))
    report.lost(
      from,
      `Viaduct has workers with threads and patches nothing for ${/gevent/i.test(kind) ? 'gevent' : 'eventlet'}; use more threads if many requests wait`,
    );
  else report.lost(from, 'Viaduct has workers with threads; use more threads if many requests wait');
}

function writeEnvironment(value: unknown, from: Statement, { builder, report }: WsgiContext): void {
  const all = Array.isArray(value) ? value.map(String) : [String(value)];
  report.lost(from, 'set these variables in the environment of Viaduct, such as Environment= of systemd');
  builder.remarks.push(...all.map((one) => `in the environment: ${one.replace(/[^\x20-\x7e]/g, '?')}`));
}

function writeAccessLog(value: unknown, from: Statement, context: WsgiContext): void {
  if (value === null) {
    setSetting('accessLog', 'off', from, context);
    return;
  }
  setSetting('accessLog', 'combined', from, context);
  if (value !== '-') setSetting('accessLogFile', context.pathOf(String(value)), from, context);
}

function writeLogFormat(value: unknown, from: Statement, context: WsgiContext): void {
  const problem = templateProblem(String(value));
  if (problem === '') setSetting('accessLogFormat', String(value), from, context);
  else context.report.lost(from, problem);
}

function writeTrusted(value: unknown, from: Statement, { builder, report }: WsgiContext): void {
  const all = (Array.isArray(value) ? value : String(value).split(','))
    .map((one) => String(one).trim())
    .filter((one) => one !== '');
  report.took(from);
  for (const one of all) builder.push('trusted_proxies', one === '*' ? 'all' : one, from);
  if (all.includes('*')) {
    builder.set('trusted_proxy_values', 'scheme', from); // with `address`, every client could claim any address
    report.differs(from, 'name the proxies in trusted_proxies, and their X-Forwarded-For counts too');
  }
  const isLocal = all.every((one) => one === '127.0.0.1' || one === '::1');
  if (!isLocal) builder.push('trusted_proxies', 'unix', from);
}

/** What gunicorn trusts about the scheme without this setting. */
const SCHEME_FIELDS = 'X-FORWARDED-PROTO=https X-FORWARDED-PROTOCOL=ssl X-FORWARDED-SSL=on';

/** Viaduct trusts X-Forwarded-Proto and Forwarded only. With another field, requests over https would get the scheme http. */
function writeSchemeFields(value: unknown, from: Statement, { builder, report }: WsgiContext): void {
  const pairs = Object.entries((value ?? {}) as Record<string, unknown>).map(
    ([name, is]) => `${name.toUpperCase()}=${String(is)}`,
  );
  const [usual, ...others] = ['X-FORWARDED-PROTO=https', ...pairs.filter((pair) => pair !== 'X-FORWARDED-PROTO=https')];
  if (pairs.sort().join(' ') === SCHEME_FIELDS)
    report.differs(
      from,
      'Viaduct reads X-Forwarded-Proto and Forwarded, and not X-Forwarded-Protocol and X-Forwarded-Ssl',
    );
  else if (others.length === 0 && pairs.length > 0)
    report.needless(from, 'X-Forwarded-Proto and Forwarded from trusted proxies are used');
  else {
    const names = others.map((pair) => pair.replace(/=.*/s, '')).join(', ');
    const isUsual = pairs.includes(usual as string);
    if (!isUsual) trustLess(builder, from);
    report.danger(
      from,
      names === ''
        ? 'gunicorn trusts no field about the scheme; trusted_proxy_values no longer has the scheme'
        : `requests that a proxy marks with ${names} would get the scheme http: let it set X-Forwarded-Proto${isUsual ? '' : ', and add "scheme" to trusted_proxy_values'}`,
    );
  }
}

/** gunicorn does not trust X-Forwarded-Proto, which a client could have sent. */
function trustLess(builder: ConfigBuilder, from: Statement): void {
  if (builder.get('trusted_proxy_values') === 'scheme') {
    builder.values.delete('trusted_proxy_values');
    builder.set('trusted_proxies', [], from);
  } else builder.set('trusted_proxy_values', 'address', from);
}

function writeClientCertificates(value: unknown, from: Statement, { builder, report }: WsgiContext): void {
  const mode = ['off', 'optional', 'required'][Number(value)];
  if (mode === undefined || builder.tables.get('tls')?.get('client_ca') === undefined)
    report.lost(from, 'it needs ca_certs before it');
  else {
    builder.table('tls').set('client_certificates', mode, from);
    report.took(from);
  }
}

function writeProxyProtocol(value: unknown, from: Statement, { builder, report }: WsgiContext): void {
  if (value === false || value === 'off') {
    report.needless(from, 'this is the default');
    return;
  }
  const listen = builder.values.get('listen');
  const addresses = (listen?.value ?? ['127.0.0.1:8000']) as readonly string[];
  report.took(from);
  builder.set(
    'listen',
    addresses.map((one) => `${one}?proxy_protocol=on`),
    ...(listen?.from ?? []),
    from,
  );
}
