import type { SettingName } from '../../config/settings.ts';
import { templateOfUwsgi } from '../log-template.ts';
import { setCertificate, setDirectory, setSetting, type WsgiContext } from '../wsgi-config-builder.ts';
import { writeCron, writeCronWithKeys, writeDaemon, writeDaemonWithKeys } from './beside.ts';
import { isOn, type Option } from './option.ts';

/** Carries over one option. */
type Carry = (option: Option, context: WsgiContext) => void;

const lost =
  (reason: string): Carry =>
  (option, { report }) =>
    report.lost(option, reason);
const needless =
  (reason: string): Carry =>
  (option, { report }) =>
    report.needless(option, reason);
const whole =
  (name: SettingName): Carry =>
  (option, context) =>
    /^\d+$/.test(option.value)
      ? setSetting(name, Number(option.value), option, context)
      : context.report.lost(option, 'it is not a number');
const seconds =
  (name: SettingName): Carry =>
  (option, context) =>
    setSetting(name, `${option.value}s`, option, context);

const CHEAPER = 'one worker more starts when requests wait, and one leaves after workers_idle_ms';
const PLUGIN = 'Viaduct runs Python and needs no plugin for it';
const SHARED = 'there is no cache, queue, lock, spooler or timer that workers share';

/** Options of uWSGI that matter to Viaduct, except those for the target and the addresses. */
export const UWSGI: Readonly<Record<string, Carry>> = {
  ...same('processes workers p', whole('workers')),
  threads: whole('threads'),
  ...same('chdir', (option, context) => setDirectory(option.value, option, context)),
  chdir2: (option, context) => setDirectory(option.value, option, context),
  ...same('virtualenv home venv pyhome H', (option, context) =>
    setSetting('python', context.pathOf(option.value), option, context),
  ),
  ...same('pythonpath python-path pp', writePythonPath),
  ...same('static-expires-type static-expires-type-mtime', lost('see cache_control in static_options of a route')),
  ...same(
    'static-skip-ext static-safe static-gzip static-gzip-all static-gzip-dir',
    lost('see static_options of a route'),
  ),
  'offload-threads': needless('files are sent by the server process'),
  'limit-post': (option, context) =>
    option.value === '0'
      ? context.report.lost(option, 'content always has a limit')
      : setSetting('bodyBytesMax', Number(option.value), option, context),
  'buffer-size': (option, context) => setSetting('headerBytesMax', Number(option.value), option, context),
  'post-buffering': (option, context) =>
    isOn(option.value) && option.value !== '1'
      ? context.report.needless(option, "a request's content is always received completely")
      : setSetting('bodyMemoryBytesMax', Number(option.value), option, context),
  uid: (option, context) => setSetting('user', option.value, option, context),
  gid: (option, context) => setSetting('group', option.value, option, context),
  ...same('http-keepalive', seconds('keepAliveTimeoutMs')),
  ...same('http-timeout', seconds('bodyTimeoutMs')),
  ...same('socket-timeout', seconds('bodyTimeoutMs')),
  ...same('worker-reload-mercy reload-mercy', seconds('gracefulTimeoutMs')),
  ...same('lazy-apps lazy', (option, context) => setSetting('preload', !isOn(option.value), option, context)),
  ...same('py-autoreload python-autoreload', (option, context) =>
    option.value === '0'
      ? context.report.needless(option, 'this is the default')
      : context.report.lost(
          option,
          'it is for development: start Viaduct with --dev there. It shows tracebacks, so never where others reach it',
        ),
  ),
  'disable-logging': (option, context) =>
    setSetting('accessLog', isOn(option.value) ? 'off' : 'combined', option, context),
  ...same('log-format logformat', writeLogFormat),
  ...same('logto logto2 daemonize daemonize2 d', writeLogFile),
  ...same('req-logger logger log-master log-reopen', writeLog),
  ...same('for-readline for-glob for-times', lost('only the loop "for" is read')),
  ...same('harakiri', seconds('requestTimeoutMs')),
  ...same('http-harakiri', lost('request_timeout_ms is the time limit for requests')),
  ...same('harakiri-verbose', needless('the log has the Python stack of a request that took too long')),
  'max-requests': whole('maxRequests'),
  'max-requests-delta': whole('maxRequestsJitter'),
  'max-worker-lifetime': seconds('maxLifetimeMs'),
  'max-worker-lifetime-delta': needless('workers live up to a tenth longer or shorter'),
  'min-worker-lifetime': needless('a worker is replaced when the new one is ready'),
  ...same('reload-on-rss evil-reload-on-rss', (option, context) =>
    setSetting('maxRssBytes', `${option.value}MiB`, option, context),
  ),
  ...same('reload-on-as evil-reload-on-as limit-as', lost('see max_rss_bytes for the resident memory')),
  cheaper: whole('workersMin'),
  ...same('cheaper-algo cheaper-initial cheaper-step cheaper-overload cheaper-idle', needless(CHEAPER)),
  ...same('cheaper-busyness-max cheaper-busyness-min cheaper-busyness-multiplier', needless(CHEAPER)),
  ...same('cheaper-rss-limit-soft cheap idle', lost('see workers_min and workers_idle_ms')),
  ...same('env setenv', writeEnvironment),
  ...same('touch-reload touch-chain-reload touch-workers-reload', writeTouch),
  'py-auto-reload-ignore': lost('with --dev the files of the project are watched'),
  'attach-daemon': writeDaemon,
  'legion-attach-daemon': writeDaemon,
  'attach-daemon2': writeDaemonWithKeys,
  ...same(
    'smart-attach-daemon smart-attach-daemon2 attach-control-daemon',
    lost('its command goes into the background: let it stay in the foreground, and write it into a table [[process]]'),
  ),
  mule: lost('a mule runs inside of uWSGI: make a program of it, and write it into a table [[process]]'),
  ...same('cron unique-cron legion-cron', writeCron),
  cron2: writeCronWithKeys,
  ...same('mules spooler timer', lost(SHARED)),
  ...same('cache2 cache queue sharedarea locks', lost(SHARED)),
  ...same(
    'gevent asyncio ugreen async greenlet loop gevent-monkey-patch',
    lost('Viaduct has workers with threads; use more threads if many requests wait'),
  ),
  ...same('add-header', writeField),
  ...same('stats stats-server stats-http memory-report', lost('viaduct status shows them; set admin for metrics')),
  ...same('log-syslog rsyslog', lost('set error_log_syslog to the address of the syslog server')),
  ...same('emperor vassals-include', lost('one Viaduct serves several applications: see [apps]')),
  ...same(
    'max-fd listen so-keepalive tcp-nodelay cpu-affinity',
    lost('set it in the operating system; see queue_max for waiting requests'),
  ),
  ...same('umask', lost('set it in the environment of Viaduct, or add mode=660 to the path of a socket')),
  ...same('import python-import py-import pyimport', lost('let the application import it')),
  ...same('ini include inherit xml yaml yml json config', lost('the file is not here: import it separately')),
  ...same('plugin plugins need-plugin need-plugins plugin-dir plugins-dir', needless(PLUGIN)),
  ...same(
    'master M enable-threads thunder-lock vacuum die-on-term need-app strict single-interpreter single',
    needless('Viaduct does this by itself'),
  ),
  ...same(
    'die-on-idle no-orphans auto-procname procname procname-prefix procname-prefix-spaced',
    needless('Viaduct does this by itself'),
  ),
  ...same(
    'ignore-sigpipe ignore-write-errors disable-write-exception close-on-exec',
    needless('a client that leaves is not an error'),
  ),
  ...same('pidfile pidfile2 safe-pidfile', needless('the service manager knows the process')),
  ...same(
    'show-config no-site optimize reaper catch-exceptions python-tracebacker py-tracebacker',
    needless('no setting is needed'),
  ),
  ...same(
    'wsgi-env-behavior wsgi-env-behaviour py-call-osafterfork so-reuseport reuse-port',
    needless('no setting is needed'),
  ),
  ...same(
    'http-auto-chunked http-chunked-input http-raw-body chunked-input-timeout http-websockets',
    needless('Viaduct supports HTTP/1.1 completely'),
  ),
  ...same('uwsgi-protocol protocol', needless('the address already contains it')),
  ...same('post-buffering-bufsize pyargv', lost('Viaduct has no counterpart')),
  ...same('http-processes http-workers', whole('processes')),
  'honour-stdin': needless('no setting is needed'),
};

function same(names: string, carry: Carry): Record<string, Carry> {
  return Object.fromEntries(names.split(' ').map((name) => [name, carry]));
}

function writePythonPath(option: Option, { report, builder }: WsgiContext): void {
  if (/^\.?\/?$/.test(option.value)) {
    report.needless(option, 'the directory of the project is searched');
    return;
  }
  report.lost(option, 'set PYTHONPATH in the environment of Viaduct, or set chdir');
  builder.remarks.push(`in the environment: PYTHONPATH=${option.value.replace(/[^\x20-\x7e]/g, '?')}`);
}

function writeEnvironment(option: Option, { report, builder }: WsgiContext): void {
  report.lost(option, 'set the variable in the environment of Viaduct, such as Environment= of systemd');
  builder.remarks.push(`in the environment: ${option.value.replace(/[^\x20-\x7e]/g, '?')}`);
}

/** Viaduct has one such file. */
function writeTouch(option: Option, { builder, report, pathOf }: WsgiContext): void {
  const reload = builder.table('reload');
  if (reload.get('touch') !== undefined) {
    report.lost(option, 'touch in [reload] is one file, and another option gives it');
    return;
  }
  report.took(option);
  reload.set('touch', pathOf(option.value), option);
}

function writeField(option: Option, { builder, report }: WsgiContext): void {
  const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*)$/s.exec(option.value) ?? [];
  if (name === '' || /[{}\p{C}]/u.test(value)) {
    report.lost(option, 'see headers');
    return;
  }
  report.took(option);
  builder.table('headers').table('add').push(name, value, option);
}

/** uWSGI writes everything into one file. */
function writeLogFile(option: Option, context: WsgiContext): void {
  setSetting('accessLogFile', context.pathOf(option.value), option, context);
  setSetting('errorLogFile', context.pathOf(option.value), option, context);
}

function writeLogFormat(option: Option, context: WsgiContext): void {
  const result = templateOfUwsgi(option.value);
  if ('template' in result) setSetting('accessLogFormat', result.template, option, context);
  else context.report.lost(option, result.problem);
}

function writeLog(option: Option, { report }: WsgiContext): void {
  report.lost(option, 'logs go to standard output and standard error, where the service manager reads them');
}

/** Certificates of `https = ADDRESS,CERTIFICATE,KEY,CIPHERS,CA`. */
export function writeHttps(option: Option, context: WsgiContext): string {
  const [address = '', certificate, key, ciphers, authority] = option.value.split(',');
  if (certificate !== undefined) setCertificate('certificate', certificate, option, context);
  if (key !== undefined) setCertificate('key', key, option, context);
  if (ciphers !== undefined && ciphers !== '')
    context.report.differs(option, 'only ciphers with forward secrecy are used');
  if (authority !== undefined && authority !== '') {
    setCertificate('client_ca', authority.replace(/^!/, ''), option, context);
    context.builder
      .table('tls')
      .set('client_certificates', authority.startsWith('!') ? 'required' : 'optional', option);
  }
  return address;
}
