import type { NginxContext } from './context.ts';
import { textOf } from './model/bytes.ts';
import type { Server } from './model/model.ts';
import { hostsOf } from './places.ts';
import type { Directive } from './tree.ts';

/** Writes certificates. Those of the default server apply to all names, the others to their own names. */
export function writeTls(context: NginxContext): void {
  const { builder, report, model, scopeOf } = context;
  const addresses = model.addresses.filter((one) => one.secure);
  const secure = model.servers.filter((server) => addresses.some((one) => one.servers.includes(server)));
  const first = addresses[0]?.defaultServer;
  if (first === undefined) return;
  const tls = builder.table('tls');
  const written = new Set<string>();
  for (const server of [first, ...secure.filter((one) => one !== first)]) {
    const certificates = scopeOf(server).take('ssl_certificate').filter(isNamed);
    const keys = scopeOf(server).take('ssl_certificate_key').filter(isNamed);
    const name = certificates.map(({ args }) => args[0]).join(' ');
    if (certificates.length === 0) report.lost(server.statement, 'it has ssl but no ssl_certificate');
    if (certificates.length === 0 || written.has(name)) continue;
    written.add(name);
    const table = server === first ? tls : tls.append('host');
    const names = server.names.flatMap(hostsOf).map(textOf);
    if (server !== first && names.length > 0) table.set('names', names, ...scopeOf(server).own('server_name'));
    const paths = (all: typeof certificates) => all.map(({ args }) => context.pathOf(args[0] ?? ''));
    table.set('certificate', oneOrAll(paths(certificates)), ...certificates);
    if (keys.length > 0 && paths(keys).join(' ') !== paths(certificates).join(' '))
      table.set('key', oneOrAll(paths(keys)), ...keys);
  }
  writeClients(secure, first, context);
}

function isNamed({ args }: Directive): boolean {
  return (args[0] ?? '') !== '';
}

function oneOrAll(paths: string[]): string | string[] {
  return paths.length === 1 ? (paths[0] as string) : paths;
}

/** Client certificates are requested on all addresses or on none. */
function writeClients(
  secure: readonly Server[],
  first: Server,
  { builder, report, pathOf, scopeOf }: NginxContext,
): void {
  const tls = builder.table('tls');
  for (const scope of [first, ...secure.filter((one) => one !== first)].map(scopeOf)) {
    const verify = scope.one('ssl_verify_client');
    const authorities = scope.one('ssl_client_certificate') ?? scope.one('ssl_trusted_certificate');
    const mode = { on: 'required', optional: 'optional', optional_no_ca: 'optional' }[verify?.args[0] ?? ''];
    if (verify === null || mode === undefined) continue;
    if (authorities === null || !isNamed(authorities)) report.lost(verify, 'there is no ssl_client_certificate');
    else if (tls.get('client_certificates') === undefined) {
      tls.set('client_certificates', mode, verify);
      tls.set('client_ca', pathOf(authorities.args[0] ?? ''), authorities);
      if (secure.length > 1) report.differs(verify, 'it applies to all servers with HTTPS');
    }
  }
}
