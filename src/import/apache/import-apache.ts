import { ConfigBuilder, type Value } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import { refused } from '../refused.ts';
import type { Source } from '../source.ts';
import { setSetting, type WsgiContext } from '../wsgi-config-builder.ts';
import { writeApps } from './apps.ts';
import { type Place, placesOf } from './hosts.ts';
import { tellOthers } from './other-directives.ts';
import { writeTls } from './tls.ts';
import { type Directive, readTree } from './tree.ts';
import { type Part, writePlace } from './write-place.ts';

/**
 * Converts a configuration of Apache to settings: its virtual hosts with mod_wsgi, files, redirects, backends and access rules. An access rule
 * without a counterpart closes its paths.
 */
export function importApache({ text, path, shown, show, pathOf, output }: Source): {
  builder: ConfigBuilder;
  report: ImportReport;
} {
  const report = new ImportReport();
  const builder = new ConfigBuilder();
  const context: WsgiContext = { builder, report, output, pathOf };
  const { directives, guessed } = readTree(text, path, show);
  if (directives.length === 0) throw refused({ file: shown, line: 1 }, 'it has no directive');
  for (const { directive, reason } of guessed) report.differs(directive, reason);
  const main = directives.filter(({ name }) => name !== 'virtualhost');
  const places = placesOf(directives, report);
  const listens = [...new Set(places.map(({ listen }) => listen))];
  const from = directives.filter(({ name }) => name === 'listen' || name === 'virtualhost');
  builder.set('listen', listens as Value, ...from);
  writeUser(main, context);
  const scopes = [...new Set(places.map(({ server }) => server))].map(({ own, section }) =>
    section === null ? own : [...own, ...main],
  );
  const apps = writeApps(scopes, context);
  writeTls(places, main, context);
  for (const part of partsOf(places, listens.length, main)) writePlace(part, apps, context);
  tellUnreached(directives, places, report);
  tellOthers(directives, context);
  return { builder, report };
}

/** The places of a server with the same hosts and the same security become one part. */
function partsOf(places: readonly Place[], count: number, main: readonly Directive[]): Part[] {
  const parts = new Map<string, { part: Part; listen: string[] }>();
  for (const [index, { server, listen, hosts, isDefault }] of places.entries()) {
    const others = places.filter((one, at) => one.listen === listen && at !== index).flatMap((one) => one.hosts);
    const hidden = hosts.filter((host) =>
      others.some((other) => other.startsWith('*.') && host.endsWith(other.slice(1))),
    );
    const groups = isDefault ? [[], ...(hidden.length > 0 ? [hidden] : [])] : hosts.length > 0 ? [hosts] : [];
    const isSecure = listen.startsWith('https:');
    for (const group of groups) {
      const key = JSON.stringify([server.section?.file, server.section?.line, group, isSecure]);
      const known = parts.get(key);
      if (known !== undefined) {
        known.listen.push(listen);
        continue;
      }
      const all = [listen];
      const from = [server.section, ...server.own.filter(({ name }) => /^server(?:name|alias)$/.test(name))].filter(
        (one) => one !== null,
      );
      const own = server.own;
      parts.set(key, {
        listen: all,
        part: { own, main: server.section === null ? [] : main, isSecure, listen: all, hosts: group, from },
      });
    }
  }
  return [...parts.values()].map(({ part, listen }) => ({ ...part, listen: listen.length === count ? [] : listen }));
}

/** The user of the workers, unless the daemon process of mod_wsgi has one. */
function writeUser(main: readonly Directive[], context: WsgiContext): void {
  for (const name of ['user', 'group'] as const) {
    const directive = main.findLast((one) => one.name === name);
    if (directive !== undefined) setSetting(name, directive.args[0] ?? '', directive, context);
  }
}

function tellUnreached(directives: readonly Directive[], places: readonly Place[], report: ImportReport): void {
  for (const section of directives.filter(({ name }) => name === 'virtualhost')) {
    const own = places.filter(({ server }) => server.section === section);
    if (own.length === 0)
      report.danger(
        section,
        'it is for an address beside those of Listen: its requests would get to another virtual host',
      );
    else if (own.every(({ hosts, isDefault }) => hosts.length === 0 && !isDefault))
      report.differs(section, 'no request gets there, because another virtual host comes before it');
  }
}
