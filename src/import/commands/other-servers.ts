import { secureAddresses, setSetting, type WsgiContext } from '../wsgi-config-builder.ts';
import type { CommandForm } from './carry.ts';
import { FORMS, type OtherServer } from './command-forms.ts';
import { optionsOf, type ServerCommand, type ServerName } from './command-line.ts';

/** Carries over the command line of a server that has no configuration file. */
export function carryOtherCommand({ server, statement, args }: ServerCommand, context: WsgiContext): void {
  const { builder, report } = context;
  const form = FORMS[server as OtherServer];
  const { options, others } = optionsOf(args, form.short, form.switches, form.pairs);
  const find = (...names: string[]): string | undefined => options.findLast(([name]) => names.includes(name))?.[1];
  const isExpress = server === 'mod_wsgi-express';
  const named = isExpress ? (others.find((word) => word !== 'start-server') ?? find('entry-point')) : others[0];
  const object = find('callable-object');
  const target = named === undefined || object === undefined ? named : `${named}:${object}`;
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
    const at = { ...statement, text: value === 'true' ? `--${name}` : `--${name} ${value}` };
    const carry = Object.hasOwn(form.options, name) ? form.options[name] : undefined;
    if (carry === undefined) report.lost(at, 'Viaduct has no counterpart');
    else carry(value, at, context);
  }
  if (!isExpress) secureAddresses(builder);
  if (form.bodyBytesMax !== undefined) builder.assume('body_bytes_max', form.bodyBytesMax, `${server}'s default`);
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
  const mode = all('unix-socket-perms', 'uds-permissions').at(-1);
  const rights = mode === undefined ? '' : `?mode=${mode.replace(/^0o?/, '')}`;
  const sockets = all('unix-socket', 'uds').map((path) => `unix:${context.pathOf(path)}${rights}`);
  const written = all('listen').flatMap((one) => one.split(/\s+/));
  const port = all('port').at(-1) ?? form.port;
  const host = all('host', 'bind').at(-1) ?? form.host;
  const addresses = [...sockets, ...written.map((one) => one.replace(/^\*:/, '0.0.0.0:'))];
  const securePort = all('https-port', 'ssl-port').at(-1);
  const secure = securePort === undefined ? [] : [`https://${host}:${securePort}`];
  const chosen = addresses.length > 0 ? addresses : [`${host}:${port}`, ...secure];
  const variables = chosen.filter((one) => one.includes('$'));
  if (variables.length > 0)
    context.report.lost(
      statement,
      `the address depends on a variable: start Viaduct with VIADUCT_LISTEN="${chosen.join(',')}"`,
    );
  else setSetting('listen', chosen, statement, context);
  if (securePort !== undefined && all('https-only').length > 0)
    context.builder.table('https_redirect').set('port', Number(securePort), statement);
}
