import { SETTINGS, type SettingName } from '../../config/settings.ts';
import type { Value } from '../config-builder.ts';
import type { Statement } from '../import-report.ts';
import { templateProblem } from '../log-template.ts';
import {
  isMount,
  setCertificate,
  setDirectory,
  setSetting,
  type WsgiContext,
  writeMainMount,
} from '../wsgi-config-builder.ts';
import { writeBind, writeProtocol, writeProxyProtocol } from './addresses.ts';
import { writeSchemeFields, writeTrusted } from './trust.ts';

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

/** A switch that is off by default. */
const switched =
  (reason: string): Carry =>
  (value, from, { report }) =>
    value === true ? report.lost(from, reason) : report.needless(from, 'this is the default');

const NONE = 'Viaduct has no counterpart';
const ASGI = 'it is for ASGI, and Viaduct serves WSGI';
const LOGGING = 'choose one of the formats of the access log; the application configures its own logging';
const SYSLOG = 'set access_log_syslog and error_log_syslog to the address of the syslog server';
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
  syslog: switched(SYSLOG),
  syslog_addr: lost(SYSLOG),
  syslog_prefix: lost(NONE),
  syslog_facility: lost('add it to the address of the syslog server: ?facility=local0'),
  logger_class: lost(LOGGING),
  logconfig: lost(LOGGING),
  logconfig_dict: lost(LOGGING),
  logconfig_json: lost(LOGGING),
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
  strip_header_spaces: switched('requests with a space before the colon of a field get 400'),
  permit_obsolete_folding: switched('requests with a field of several lines get 400'),
  permit_unconventional_http_method: needless('any method that is a token reaches the application'),
  permit_unconventional_http_version: switched('HTTP/1.0, 1.1 and 2 are served; others get 505'),
  casefold_http_method: switched('the application gets methods as they were sent'),
  header_map: writeHeaderMap,
  forwarder_headers: writeForwarderHeaders,
  protocol: writeProtocol,
  uwsgi_allow_ips: writeTrusted,
  http_parser: needless('Viaduct has one parser'),
  http_protocols: needless('clients get HTTP/2 or HTTP/1.1, as they prefer'),
  http2_cleartext: needless('clients that start with HTTP/2 get it'),
  http2_max_concurrent_streams: set('http2StreamsMax'),
  http2_initial_window_size: needless('Viaduct chooses it'),
  http2_max_frame_size: needless('Viaduct chooses it'),
  http2_max_header_list_size: limit('headerBytesMax'),
  root_path: lost('it is for ASGI; mount in a route does the same for WSGI'),
  asgi_loop: lost(ASGI),
  asgi_lifespan: lost(ASGI),
  asgi_disconnect_grace_period: lost(ASGI),
  websocket_max_message_size: lost(ASGI),
  control_socket: needless('the commands find the running server'),
  control_socket_mode: needless('only the user of the server may use its control socket'),
  control_socket_disable: (value, from, context) =>
    value === true ? setSetting('control', 'off', from, context) : context.report.needless(from, 'this is the default'),
  config: lost('import that file as well'),
  print_config: needless('use "viaduct check"'),
  raw_paste_global_conf: lost(NONE),
  enable_stdio_inheritance: needless('output is not buffered'),
  enable_backlog_metric: lost('set admin for the metrics of the queue'),
  check_config: needless('use "viaduct check"'),
  spew: lost(NONE),
  paste: set('target'),
  dirty_apps: lost(NONE),
  dirty_workers: lost(NONE),
  dirty_threads: lost(NONE),
  dirty_timeout: lost(NONE),
  dirty_graceful_timeout: lost(NONE),
  reload_engine: needless('files are watched'),
  reload_extra_files: lost('the files of the project are watched'),
  statsd_host: lost(STATSD),
  statsd_prefix: lost(STATSD),
  dogstatsd_tags: lost(STATSD),
  instrument_unix_signals: lost(NONE),
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

const SCRIPT_NAME = 'SCRIPT_NAME=';

function writeEnvironment(value: unknown, from: Statement, context: WsgiContext): void {
  const { builder, report } = context;
  const all = Array.isArray(value) ? value.map(String) : [String(value)];
  const path = all.findLast((one) => one.startsWith(SCRIPT_NAME))?.slice(SCRIPT_NAME.length) ?? '';
  const isMounted = mountBelow(path, from, context);
  const others = all.filter((one) => !isMounted || !one.startsWith(SCRIPT_NAME));
  if (others.length === 0) return;
  report.lost(from, 'set these variables in the environment of Viaduct, such as Environment= of systemd');
  builder.remarks.push(...others.map((one) => `in the environment: ${one.replace(/[^\x20-\x7e]/g, '?')}`));
}

/** The variable SCRIPT_NAME is the path below which gunicorn serves the application. Returns whether `path` is one. */
export function mountBelow(path: string, from: Statement, { builder, report }: WsgiContext): boolean {
  const mount = path.replace(/\/+$/, '');
  if (!isMount(mount)) return false;
  writeMainMount(mount, from, builder);
  builder.append('route').table('respond').assume('status', 404, 'gunicorn answers 500 there');
  report.took(from);
  return true;
}

/** What becomes of fields with `_` in their name: they would be others' variables of the environ. */
function writeHeaderMap(value: unknown, from: Statement, { report }: WsgiContext): void {
  if (value === 'drop') report.needless(from, 'fields with _ in their name never reach the application');
  else if (value === 'refuse')
    report.lost(from, 'requests with _ in the name of a field are served, and the application does not see the field');
  else report.lost(from, 'fields with _ in their name never reach the application: let clients send them with -');
}

function writeForwarderHeaders(value: unknown, from: Statement, { report }: WsgiContext): void {
  if ((Array.isArray(value) ? value.join('') : String(value)).trim() === '')
    report.needless(from, 'no field becomes a variable of the environ');
  else
    report.lost(
      from,
      'no field of a front-end proxy becomes a variable of the environ: mount in a route sets SCRIPT_NAME, and trusted_proxies over uwsgi, FastCGI or SCGI may send others',
    );
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

function writeClientCertificates(value: unknown, from: Statement, { builder, report }: WsgiContext): void {
  const mode = ['off', 'optional', 'required'][Number(value)];
  if (mode === undefined || builder.tables.get('tls')?.get('client_ca') === undefined)
    report.lost(from, 'it needs ca_certs before it');
  else {
    builder.table('tls').set('client_certificates', mode, from);
    report.took(from);
  }
}
