import { ConfigBuilder } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import type { NginxContext } from './context.ts';
import { hoistCommon } from './hoist-common.ts';
import { dropUnusedGroups, writeHostGroups } from './host-groups.ts';
import { readZones } from './limits.ts';
import { writeListens } from './listen.ts';
import { writeMaps } from './maps.ts';
import { buildModel } from './model/build-model.ts';
import type { Model, Server } from './model/model.ts';
import { elsewhere, placesOf, tellNames } from './places.ts';
import { Scope } from './scope.ts';
import { scopesOf } from './scopes.ts';
import { writeServerRoutes } from './server-routes.ts';
import { writeSettings } from './settings.ts';
import { writeTls } from './tls.ts';
import type { Directive, Tree } from './tree.ts';
import { reportUnsupported } from './unsupported-directives.ts';

export interface Imported {
  readonly builder: ConfigBuilder;
  readonly report: ImportReport;
  readonly model: Model;
}

/** Converts an nginx configuration, or a file that has only `server` blocks, to settings. Routes are made of a model of what nginx does. */
export function importNginx(tree: Tree, { pathOf, directory }: Pick<NginxContext, 'pathOf' | 'directory'>): Imported {
  const { directives, missing } = tree;
  const report = new ImportReport();
  const builder = new ConfigBuilder();
  const model = buildModel(tree);
  const blocks = directives.filter(({ name }) => name === 'http');
  const inner = directives.flatMap((one) => (one.name === 'http' ? (one.block ?? []) : [one]));
  const http = new Scope(blocks.length > 0 ? blocks.flatMap(({ block }) => block ?? []) : directives, null, report);
  const events = directives.filter(({ name }) => name === 'events').flatMap(({ block }) => block ?? []);
  const servers = inner.filter(({ name }) => name === 'server');
  const upstreams = inner
    .filter(({ name }) => name === 'upstream')
    .map((one): [string, Directive] => [one.args[0] ?? '', one]);
  const maps = writeMaps(model, builder, report);
  const context: NginxContext = {
    report,
    builder,
    model,
    http,
    scopeOf: scopesOf(model, http, servers, report),
    upstreams: new Map(upstreams),
    zones: readZones(http),
    maps,
    hostGroups: writeHostGroups(model, builder, maps),
    pathOf,
    directory,
  };
  for (const directive of missing) tellMissing(directive, report);
  const listening = writeListens(context);
  const main = [new Scope(blocks.length > 0 ? directives : [], null, report), new Scope(events, null, report)];
  writeSettings(main, context);
  writeTls(context);
  const places = model.servers.flatMap((server) => {
    const from = context.scopeOf(server).own('server_name');
    const own = placesOf(server, model, listening);
    if (own.length === 0)
      report.lost(server.statement, 'no request reaches it: another server has its addresses and names');
    const others = own.length === 0 ? [] : elsewhere(server, model, listening);
    tellNames(server, from, others, report);
    return own.map((place) => ({ server, place: { ...place, from } }));
  });
  const isDefault = (server: Server): boolean => model.addresses.some(({ defaultServer }) => defaultServer === server);
  // patterns in the order in which nginx tries them, and default servers last, because their routes are for all other hosts
  for (const { server, place } of places.sort(
    (a, b) => a.place.rank - b.place.rank || Number(isDefault(a.server)) - Number(isDefault(b.server)),
  ))
    writeServerRoutes(server, place, context);
  dropUnusedGroups(context);
  hoistCommon(builder);
  reportUnsupported(directives, report);
  return { builder, report, model };
}

/** Reports included files that are missing. Files that come with nginx contain only what Viaduct does by itself. */
function tellMissing(directive: Directive, report: ImportReport): void {
  const isUsual = /(?:^|\/)(?:mime\.types|(?:proxy|uwsgi|fastcgi|scgi)_params|fastcgi\.conf|options-ssl-nginx\.conf)$/;
  if (isUsual.test(directive.args[0] ?? ''))
    report.needless(directive, 'Viaduct does by itself what this file usually contains');
  else report.lost(directive, 'the file does not exist here');
}
