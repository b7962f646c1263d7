import { writeTrusted } from '../gunicorn/trust.ts';
import { isMount, setCertificate, writeMainMount } from '../wsgi-config-builder.ts';
import {
  type Carry,
  type CommandForm,
  certificate,
  clientVerification,
  DEVELOPMENT,
  directory,
  each,
  lost,
  needless,
  number,
  seconds,
  text,
  took,
} from './carry.ts';

/** Below the path is the application, and elsewhere are the files of the document root. */
const mounted: Carry = (value, from, { builder, report }) => {
  const mount = value.replace(/\/+$/, '');
  if (mount === '') report.needless(from, 'this is the default');
  else if (isMount(mount)) {
    writeMainMount(mount, from, builder);
    report.took(from);
  } else report.lost(from, 'it is not a path that routes can have');
};

const staticFiles: Carry = (value, from, { builder, report, pathOf }) => {
  const [, path = '', place = ''] = /^(\S+) (.*)$/s.exec(value) ?? [];
  if (/\.\w+$/.test(place)) {
    report.lost(from, 'one file: write a [[route]] with path, and static for its directory');
    return;
  }
  builder.table('static').set(`/${path.replace(/^\/+|\/+$/g, '')}/`.replace('//', '/'), pathOf(place), from);
  report.took(from);
};

/** One name for both files. */
const certificateFiles: Carry = (path, from, context) => {
  setCertificate('certificate', `${path}.crt`, from, context);
  setCertificate('key', `${path}.key`, from, context);
};

const clientAuthority: Carry = (path, from, context) => {
  setCertificate('client_ca', path, from, context);
  clientVerification(path, from, context);
};

/** Without what decides who may come in, everybody could. */
const guard: Carry = (_, from, { report }) =>
  report.danger(from, 'everybody may come in: see basic_auth, forward_auth and access of routes');

const SWITCHES = `http2 ssl-environment https-only allow-localhost enable-sendfile disable-reloading reload-on-changes
  directory-listing error-override compress-responses server-metrics server-status access-log startup-log
  verbose-debugging log-to-terminal rotate-logs chunked-request with-newrelic with-newrelic-agent
  with-newrelic-platform with-php5 with-cgi orphan-interpreter embedded-mode enable-docs debug-mode enable-debugger
  debugger-startup enable-coverage enable-profiler enable-recorder enable-gdb setup-only`;

const NEEDLESS = `http2 initial-workers minimum-spare-workers maximum-spare-workers eviction-timeout deadlock-timeout
  ignore-activity connect-timeout socket-timeout header-max-timeout header-min-rate body-max-timeout body-min-rate
  server-backlog daemon-backlog send-buffer-size receive-buffer-size header-buffer-size response-buffer-size
  response-socket-timeout disable-reloading map-head-to-get envvars-script lang locale pid-file server-root server-mpm
  log-directory log-level access-log startup-log verbose-debugging log-to-terminal error-log-format error-log-name
  access-log-name startup-log-name rotate-logs max-log-size rotatelogs-executable python-eggs shell-executable
  httpd-executable process-name modules-directory mime-types socket-prefix chunked-request
  orphan-interpreter embedded-mode enable-sendfile allow-localhost auth-type`;

const DEBUGGING = `debug-mode enable-debugger debugger-startup enable-coverage coverage-directory enable-profiler
  profiler-directory enable-recorder recorder-directory enable-gdb gdb-executable`;

/** The options of mod_wsgi 5. */
export const MOD_WSGI_EXPRESS: CommandForm = {
  short: {},
  switches: new Set(SWITCHES.split(/\s+/)),
  pairs: new Set([
    ...['url-alias', 'error-document', 'proxy-mount-point', 'proxy-url-alias', 'proxy-virtual-host', 'setenv'],
    ...['add-handler', 'service-script', 'service-user', 'service-group', 'service-log-file'],
  ]),
  options: {
    ...each('host port https-port ssl-port https-only application-type entry-point callable-object', took),
    ...each(NEEDLESS, needless),
    ...each(DEBUGGING, lost('it is for development')),
    ...each('host-access-script auth-user-script auth-group-script auth-group', guard),
    ...each('proxy-mount-point proxy-url-alias proxy-virtual-host', lost('write a [[route]] with proxy')),
    ...each('service-script service-user service-group service-log-file', lost('write a [[process]]')),
    ...each('include-file rewrite-rules', lost('import the directives of this file with --from apache')),
    ...each('server-name server-alias', lost('other hosts reach the application, too: see host in [[route]]')),
    ...each('restart-interval', seconds('maxLifetimeMs')),
    ...each('ssl-certificate-file ssl-certificate-chain-file', certificate('certificate')),
    ...each('setenv passenv', lost('set the variables in the environment of Viaduct')),
    processes: number('workers'),
    threads: number('threads'),
    user: text('user'),
    group: text('group'),
    'maximum-requests': number('maxRequests'),
    'request-timeout': seconds('requestTimeoutMs'),
    'startup-timeout': seconds('startTimeoutMs'),
    'graceful-timeout': seconds('gracefulTimeoutMs'),
    'keep-alive-timeout': seconds('keepAliveTimeoutMs'),
    'header-timeout': seconds('headerTimeoutMs'),
    'body-timeout': seconds('bodyTimeoutMs'),
    'limit-request-body': number('bodyBytesMax'),
    'max-clients': number('connectionsMax'),
    'working-directory': directory,
    'mount-point': mounted,
    'url-alias': staticFiles,
    'reload-on-changes': DEVELOPMENT,
    'ssl-certificate': certificateFiles,
    'ssl-certificate-key-file': certificate('key'),
    'ssl-ca-certificate-file': clientAuthority,
    'ssl-verify-client': lost('the whole site requires a certificate of its clients'),
    'compress-responses': lost('set compression'),
    'python-path': lost('set PYTHONPATH in the environment of Viaduct'),
    'trust-proxy': writeTrusted,
    'trust-proxy-header': lost('X-Forwarded-For, -Proto, -Host and Forwarded of trusted proxies count'),
  },
  port: '8000',
  host: '0.0.0.0',
  threads: 5,
  bodyBytesMax: 10_485_760,
};
