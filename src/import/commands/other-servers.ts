import type { SettingName } from '../../config/settings.ts';
import type { Value } from '../config-builder.ts';
import { setDirectory, setSetting, type WsgiContext } from '../wsgi-config-builder.ts';
import { optionsOf, type ServerCommand, type ServerName } from './command-line.ts';

type OtherServer = Exclude<ServerName, 'gunicorn' | 'uwsgi'>;

/** The command line of a server: what its options are here, and what it does without them. */
interface CommandForm {
  readonly short: Readonly<Record<string, string>>;
  readonly switches: readonly string[];
  readonly settings: Readonly<Record<string, readonly [setting: SettingName, form: (text: string) => Value]>>;
  readonly port: string;
  readonly host: string;
  readonly threads: number;
  readonly needless: RegExp;
}

const whole = (text: string): Value => (/^\d+$/.test(text) ? Number(text) : text);
const seconds = (text: string): Value => `${text}s`;

const FORMS: Readonly<Record<OtherServer, CommandForm>> = {
  waitress: {
    short: {},
    switches: [
      'call',
      'ipv6',
      'no-ipv6',
      'expose-tracebacks',
      'no-expose-tracebacks',
      'clear-untrusted-proxy-headers',
      'log-untrusted-proxy-headers',
    ],
    settings: {
      threads: ['threads', whole],
      'connection-limit': ['connectionsMax', whole],
      'max-request-body-size': ['bodyBytesMax', whole],
      'max-request-header-size': ['headerBytesMax', whole],
      'channel-timeout': ['keepAliveTimeoutMs', seconds],
    },
    port: '8080',
    host: '0.0.0.0',
    threads: 4,
    needless:
      /^(?:ident|backlog|recv-bytes|send-bytes|outbuf-\w+|inbuf-\w+|cleanup-interval|asyncore-\w+|channel-request-lookahead|(?:no-)?ipv[46]|clear-\w[\w-]*|log-\w[\w-]*|no-\w[\w-]*)$/,
  },
  granian: {
    short: {},
    switches: [
      'ws',
      'no-ws',
      'reload',
      'access-log',
      'no-access-log',
      'log',
      'no-log',
      'respawn-failed-workers',
      'uvloop',
      'factory',
    ],
    settings: {
      workers: ['workers', whole],
      'blocking-threads': ['threads', whole],
      'workers-lifetime': ['maxLifetimeMs', seconds],
      'workers-kill-timeout': ['gracefulTimeoutMs', seconds],
      'working-dir': ['chdir', String],
    },
    port: '8000',
    host: '127.0.0.1',
    threads: 1,
    needless:
      /^(?:interface|http|(?:no-)?ws|loop|log|log-level|runtime-\w[\w-]*|backlog|backpressure|task-impl|respawn-\w[\w-]*|process-name)$/,
  },
  'mod_wsgi-express': {
    short: {},
    switches: [
      'log-to-terminal',
      'reload-on-changes',
      'startup-log',
      'access-log',
      'rotate-logs',
      'setup-only',
      'debug-mode',
      'trust-proxy',
      'enable-sendfile',
    ],
    settings: {
      processes: ['workers', whole],
      threads: ['threads', whole],
      user: ['user', String],
      group: ['group', String],
      'maximum-requests': ['maxRequests', whole],
      'request-timeout': ['requestTimeoutMs', seconds],
      'limit-request-body': ['bodyBytesMax', whole],
      'working-directory': ['chdir', String],
    },
    port: '8000',
    host: '0.0.0.0',
    threads: 5,
    needless: /^(?:log-\w[\w-]*|startup-log|access-log|rotate-logs|server-root|httpd-\w+|modules-directory)$/,
  },
  daphne: {
    short: { b: 'bind', p: 'port', u: 'unix-socket', t: 'http-timeout', v: 'verbosity' },
    switches: ['proxy-headers', 'no-server-name'],
    settings: { 'http-timeout': ['requestTimeoutMs', seconds] },
    port: '8000',
    host: '127.0.0.1',
    threads: 4,
    needless: /^(?:verbosity|access-log|server-name|no-server-name|websocket_\w+|ping-\w+|application-close-timeout)$/,
  },
};

/** Carries over the command line of a server that has no configuration file. */
export function carryOtherCommand({ server, statement, args }: ServerCommand, context: WsgiContext): void {
  const { builder, report } = context;
  const form = FORMS[server as OtherServer];
  const { options, others } = optionsOf(args, form.short, new Set(form.switches));
  const find = (...names: string[]): string | undefined => options.findLast(([name]) => names.includes(name))?.[1];
  const target = server === 'mod_wsgi-express' ? others.find((word) => word !== 'start-server') : others[0];
  const isFactory = find('call', 'factory') !== undefined;
  writeTarget(
    target !== undefined && isFactory ? `${target}()` : target,
    find('application-type') !== 'module',
    server,
    statement,
    context,
  );
  writeListen(options, form, statement, context);
  for (const [name, value] of options) {
    const setting = form.settings[name];
    const at = { ...statement, text: value === 'true' ? `--${name}` : `--${name} ${value}` };
    if (/^(?:listen|host|bind|port|unix-socket|uds|unix-socket-perms|application-type|call|factory)$/.test(name))
      report.took(at);
    else if (setting?.[0] === 'chdir') setDirectory(value, at, context);
    else if (setting !== undefined) setSetting(setting[0], setting[1](value), at, context);
    else if (name === 'reload' || name === 'reload-on-changes')
      report.lost(
        at,
        'it is for development: start Viaduct with --dev there. It shows tracebacks, so never where others reach it',
      );
    else if (name === 'trusted-proxy') builder.push('trusted_proxies', value === '*' ? 'all' : value, at);
    else if (/^(?:url-prefix|url-path-prefix|mount-point|root-path)$/.test(name))
      report.lost(at, 'write a route with mount');
    else if (form.needless.test(name)) report.needless(at, 'no setting is needed');
    else report.lost(at, 'Viaduct has no counterpart');
  }
  builder.assume('workers', 1, `${server}'s default`);
  builder.assume('threads', form.threads, `${server}'s default`);
}

function writeTarget(
  target: string | undefined,
  isScript: boolean,
  server: ServerName,
  statement: ServerCommand['statement'],
  context: WsgiContext,
): void {
  const { builder, report } = context;
  if (target === undefined) {
    report.lost(statement, 'it names no application');
    return;
  }
  const fallback = server === 'granian' ? 'app' : 'application';
  const [, place = target, object = fallback] = /^(.+?):([\w.()]+)$/.exec(target) ?? [];
  const path = server === 'mod_wsgi-express' && isScript ? context.pathOf(place) : place;
  if (server === 'daphne' || /(?:^|\.)asgi$/.test(place)) {
    builder.set('target', `${place.replace(/(^|\.)asgi$/, '$1wsgi')}:${object}`, statement);
    report.lost(
      statement,
      `${target} is an ASGI application, and Viaduct serves WSGI: check that the target is its WSGI application`,
    );
    return;
  }
  builder.set('target', `${path}:${object}`, statement);
  report.took(statement);
}

function writeListen(
  options: readonly (readonly [string, string])[],
  form: CommandForm,
  statement: ServerCommand['statement'],
  context: WsgiContext,
): void {
  const all = (...names: string[]): string[] =>
    options.filter(([name]) => names.includes(name)).map(([, value]) => value);
  const sockets = all('unix-socket', 'uds').map((path) => `unix:${context.pathOf(path)}`);
  const written = all('listen').flatMap((one) => one.split(/\s+/));
  const port = all('port').at(-1) ?? form.port;
  const host = all('host', 'bind').at(-1) ?? form.host;
  const addresses = [...sockets, ...written.map((one) => one.replace(/^\*:/, '0.0.0.0:'))];
  const chosen = addresses.length > 0 ? addresses : [`${host}:${port}`];
  const variables = chosen.filter((one) => one.includes('$'));
  if (variables.length > 0)
    context.report.lost(
      statement,
      `the address depends on a variable: start Viaduct with VIADUCT_LISTEN="${chosen.join(',')}"`,
    );
  else setSetting('listen', chosen, statement, context);
}
