import type { WsgiContext } from '../wsgi-config-builder.ts';
import type { Place, Server } from './hosts.ts';
import type { Directive } from './tree.ts';

/** Writes the certificates of the servers with TLS: the first for all names, and those of the others by their names. */
export function writeTls(
  places: readonly Place[],
  main: readonly Directive[],
  { builder, report, pathOf }: WsgiContext,
): void {
  const servers = [...new Set(places.filter(({ listen }) => listen.startsWith('https:')).map(({ server }) => server))];
  for (const [index, server] of servers.entries()) {
    const find = (name: string): Directive | undefined => lastOf(server, main, name);
    const certificate = find('sslcertificatefile');
    const key = find('sslcertificatekeyfile');
    if (certificate === undefined) continue;
    const tls = builder.table('tls');
    const table = index === 0 || tls.get('certificate') === undefined ? tls : tls.append('host');
    if (table !== tls && server.names.length > 0) table.set('names', [...server.names], ...nameDirectives(server));
    table.set('certificate', pathOf(certificate.args[0] ?? ''), certificate);
    if (key !== undefined) table.set('key', pathOf(key.args[0] ?? ''), key);
    for (const one of [certificate, key]) if (one !== undefined) report.took(one);
    const chain = find('sslcertificatechainfile');
    if (chain !== undefined) report.lost(chain, 'put the chain into the file of the certificate, behind it');
  }
  writeClients(servers, main, { builder, report, pathOf });
}

function nameDirectives({ own }: Server): Directive[] {
  return own.filter(({ name }) => name === 'servername' || name === 'serveralias');
}

function lastOf({ own }: Server, main: readonly Directive[], name: string): Directive | undefined {
  return own.findLast((one) => one.name === name) ?? main.findLast((one) => one.name === name);
}

/** Certificates of clients. All servers share the rule, so one that only some have cannot be carried over. */
function writeClients(
  servers: readonly Server[],
  main: readonly Directive[],
  { builder, report, pathOf }: Pick<WsgiContext, 'builder' | 'report' | 'pathOf'>,
): void {
  const rules = servers.map((server) => lastOf(server, main, 'sslverifyclient'));
  const wanted = rules.filter((rule) => rule !== undefined && rule.args[0]?.toLowerCase() !== 'none');
  const [rule] = wanted;
  const [server] = servers;
  if (rule === undefined || server === undefined) return;
  const authority = lastOf(server, main, 'sslcacertificatefile');
  const mode = rule.args[0]?.toLowerCase();
  const isShared = wanted.length === servers.length && wanted.every((one) => one?.args[0] === rule.args[0]);
  if (!isShared || authority === undefined || (mode !== 'require' && mode !== 'optional')) {
    for (const one of wanted)
      if (one !== undefined)
        report.danger(one, 'certificates of clients would not be asked for: see client_certificates in [tls]');
    return;
  }
  const tls = builder.table('tls');
  tls.set('client_ca', pathOf(authority.args[0] ?? ''), authority);
  tls.set('client_certificates', mode === 'require' ? 'required' : 'optional', rule);
  report.took(rule);
  report.took(authority);
}
