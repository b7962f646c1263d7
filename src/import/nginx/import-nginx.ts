import { ConfigBuilder } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import type { NginxContext, Server } from './context.ts';
import { hoistCommon } from './hoist-common.ts';
import { readZones } from './limits.ts';
import { writeListens } from './listen.ts';
import { type Folded, readFolded } from './plain-servers.ts';
import { writeRoutes } from './routes.ts';
import { Scope } from './scope.ts';
import { readServers } from './servers.ts';
import { writeSettings } from './settings.ts';
import { writeTls } from './tls.ts';
import type { Directive, Tree } from './tree.ts';
import { reportUnsupported } from './unsupported-directives.ts';

export interface Imported {
  readonly builder: ConfigBuilder;
  readonly report: ImportReport;
}

/** Converts an nginx configuration, or a file that has only `server` blocks, to settings. */
export function importNginx({ directives, missing }: Tree, pathOf: NginxContext['pathOf']): Imported {
  const report = new ImportReport();
  const builder = new ConfigBuilder();
  const blocks = directives.filter(({ name }) => name === 'http');
  const inner = blocks.length > 0 ? blocks.flatMap(({ block }) => block ?? []) : directives;
  const http = new Scope(inner, null, report);
  const events = directives.filter(({ name }) => name === 'events').flatMap(({ block }) => block ?? []);
  const upstreams = inner
    .filter(({ name }) => name === 'upstream')
    .map((one): [string, Directive] => [one.args[0] ?? '', one]);
  const context = { report, builder, http, upstreams: new Map(upstreams), zones: readZones(http), pathOf };
  for (const directive of missing) tellMissing(directive, report);
  const servers = readServers(http, report);
  writeListens(servers, context);
  const main = [new Scope(blocks.length > 0 ? directives : [], null, report), new Scope(events, null, report)];
  writeSettings(main, servers, context);
  writeSite(servers, context);
  hoistCommon(builder);
  reportUnsupported(directives, report);
  return { builder, report };
}

/** Reports included files that are missing. Files that come with nginx contain only what Viaduct does by itself. */
function tellMissing(directive: Directive, report: ImportReport): void {
  const isUsual = /(?:^|\/)(?:mime\.types|(?:proxy|uwsgi|fastcgi|scgi)_params|fastcgi\.conf|options-ssl-nginx\.conf)$/;
  if (isUsual.test(directive.args[0] ?? ''))
    report.needless(directive, 'Viaduct does by itself what this file usually contains');
  else report.lost(directive, 'the file does not exist here');
}

/** A server without TLS that only redirects to HTTPS becomes an option of the server with TLS. Every other server becomes routes. */
function writeSite(servers: readonly Server[], context: NginxContext): void {
  const secure = servers.filter(({ isSecure }) => isSecure);
  const main = secure.find(({ isDefault }) => isDefault) ?? servers.find(({ isDefault }) => isDefault) ?? null;
  writeTls(servers, main, context);
  const folded = new Map<Server, Folded>();
  for (const server of servers) {
    const found = readFolded(server, context);
    if (found !== null && secure.length > 0) folded.set(server, found);
  }
  const claimed = new Set<string>();
  const order = [...servers].sort((a, b) => rank(a, main) - rank(b, main));
  for (const server of order) {
    const fold = folded.get(server);
    const isFolded = fold !== undefined && !server.isSecure;
    const wanted = server === main ? [''] : server.isDefault && !claimed.has('') ? [''] : server.names;
    if (isFolded) {
      writeFolded(server, fold, main, context);
      continue;
    }
    const hosts = wanted.filter((name) => !claimed.has(name));
    for (const name of hosts) claimed.add(name);
    if (server === main) for (const name of server.names) claimed.add(name);
    const isSilent =
      server.listens.length === 0 && server.directive.block?.some(({ name }) => name === 'listen') === true;
    if (hosts.length === 0 || isSilent) {
      tellUnreachable(server, context);
      continue;
    }
    const leading = leadingTo(server, folded);
    writeRoutes(
      server,
      {
        hosts: hosts.filter((name) => name !== ''),
        toHttps:
          leading.length === 0 ? null : { from: leading.flatMap(({ from }) => from), port: leading[0]?.port ?? 443 },
        locations: server.locations,
        answersRest: true,
      },
      context,
    );
  }
}

/** The default server with TLS first, then others with TLS, then those without. */
function rank(server: Server, main: Server | null): number {
  return server === main ? 0 : server.isSecure ? 1 : 2;
}

/** The servers that redirect from HTTP to a server with TLS. */
function leadingTo(server: Server, folded: ReadonlyMap<Server, Folded>): Folded[] {
  if (!server.isSecure) return [];
  return [...folded]
    .filter(([from]) => from === server || (!from.isSecure && meets(from, server)))
    .map(([, fold]) => fold);
}

/** Whether the requests that `plain` redirects to HTTPS reach `secure`. */
function meets(plain: Server, secure: Server): boolean {
  return (
    plain.names.length === 0 ||
    plain.names.some((name) => secure.names.includes(name)) ||
    (secure.isDefault && secure.names.length === 0)
  );
}

/** The rest of a folded server: locations that answer over HTTP, and names that no server with TLS has. */
function writeFolded(server: Server, fold: Folded, main: Server | null, context: NginxContext): void {
  const [first] = fold.from;
  if (first !== undefined && !/\b301\b|permanent/.test(first.text))
    context.report.differs(first, 'the status is 301 for GET and HEAD, 308 for other methods');
  if (fold.host !== null && first !== undefined) {
    context.report.differs(
      first,
      `https keeps the host that was asked for; whether it goes on to ${fold.host} is for the server there to say`,
    );
  }
  const locations = fold.locations.filter(({ kind }) => kind !== 'named');
  if (locations.length === 0) return;
  const others = server.names.filter((name) => main?.names.includes(name) !== true);
  const isMain = others.length < server.names.length || server.names.length === 0;
  const common = { toHttps: null, locations, answersRest: false };
  if (isMain) writeRoutes(server, { ...common, hosts: [] }, context);
  if (others.length > 0) writeRoutes(server, { ...common, hosts: others }, context);
}

/** Reports servers that differ only by address. Routes match by host and path, not by the address of the listener. */
function tellUnreachable(server: Server, { report }: NginxContext): void {
  const reason = 'routes do not know addresses: another server has the same names, or no names that distinguish it';
  report.lost(server.directive, reason);
  const all = (directives: readonly Directive[]): Directive[] =>
    directives.flatMap((one) => [one, ...all(one.block ?? [])]);
  for (const directive of all(server.directive.block ?? [])) report.took(directive);
}
