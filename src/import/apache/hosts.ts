import { isIP } from 'node:net';
import type { ImportReport } from '../import-report.ts';
import { refused } from '../refused.ts';
import type { Directive } from './tree.ts';

/** A virtual host, or the main server. */
export interface Server {
  /** Its directives before those of the main server, as Apache looks for them. */
  readonly own: readonly Directive[];
  readonly section: Directive | null;
  readonly names: readonly string[];
  readonly isSecure: boolean;
}

/** A server at an address of ours. */
export interface Place {
  readonly server: Server;
  /** The value of the setting `listen`. */
  readonly listen: string;
  /** The hosts whose requests get there. */
  readonly hosts: readonly string[];
  /** Whether requests for all other hosts get there, too. */
  readonly isDefault: boolean;
}

interface Address {
  /** '' for all addresses. */
  readonly host: string;
  /** '' for all ports. */
  readonly port: string;
}

/** The servers of a configuration, and where each one serves. */
export function placesOf(directives: readonly Directive[], report: ImportReport): readonly Place[] {
  const main = directives.filter(({ name }) => name !== 'virtualhost');
  const virtual = directives.filter(({ name }) => name === 'virtualhost');
  const servers = virtual.map((section) => serverOf(section.children ?? [], section));
  const listens = listensOf(main, virtual);
  for (const { directive } of listens) if (directive !== null) report.took(directive);
  return listens.flatMap(({ address, isHttps }): Place[] => {
    const group = groupAt(address, servers);
    const all = group.length > 0 ? group : [serverOf(main, null)];
    const isSecure = isHttps || all.some((server) => server.isSecure);
    const host = address.host === '' ? '0.0.0.0' : address.host;
    const listen = `${isSecure ? 'https' : 'http'}://${host}:${address.port}`;
    return placesAt(listen, all, report);
  });
}

function serverOf(own: readonly Directive[], section: Directive | null): Server {
  const names = own.filter(({ name }) => name === 'servername' || name === 'serveralias').flatMap(({ args }) => args);
  const engine = own.findLast(({ name }) => name === 'sslengine')?.args[0]?.toLowerCase();
  const isSecure = engine === 'on' || engine === 'optional';
  return { own, section, names: names.map(hostOf).filter((name) => name !== ''), isSecure };
}

/** `https://shop.example.org:443` is the host `shop.example.org`. */
function hostOf(name: string): string {
  return name
    .replace(/^https?:\/\//i, '')
    .replace(/:\d+$/, '')
    .toLowerCase();
}

interface Listen {
  readonly address: Address;
  readonly isHttps: boolean;
  readonly directive: Directive | null;
}

/** Without a `Listen`, which is in another file, the ports of the virtual hosts. */
function listensOf(main: readonly Directive[], virtual: readonly Directive[]): Listen[] {
  const written = main
    .filter(({ name }) => name === 'listen')
    .map((directive): Listen => {
      const [address = '', protocol = ''] = directive.args;
      const read = addressOf(address, true);
      if (!isAddress(read)) throw refused(directive, 'it is not an address with a port');
      return { address: read, isHttps: protocol.toLowerCase() === 'https', directive };
    });
  if (written.length > 0) return written;
  const ports = virtual.flatMap(({ args }) => args.map((one) => addressOf(one, false)));
  const known = new Map(ports.filter(isAddress).map((one) => [`${one.host} ${one.port}`, one]));
  // a server on all addresses takes the port of those on one of them
  const all = [...known.values()].filter(({ host, port }) => host === '' || !known.has(` ${port}`));
  const chosen = all.length > 0 ? all : [{ host: '', port: '80' }];
  return chosen.map((address) => ({
    address,
    isHttps: address.port === '443' && virtual.length === 0,
    directive: null,
  }));
}

/** Whether Viaduct can listen there. */
function isAddress({ host, port }: Address): boolean {
  const isHost =
    host === '' || isIP(host.replace(/^\[|\]$/g, '')) !== 0 || /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(host);
  return isHost && /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535;
}

function addressOf(written: string, isPortAlone: boolean): Address {
  if (isPortAlone && /^\d+$/.test(written)) return { host: '', port: written };
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+|\*))?$/.exec(written) ?? [];
  const isAll = /^(?:\*|_default_|0\.0\.0\.0|\[::\])$/.test(host);
  return { host: isAll ? '' : host, port: port === '*' ? '' : port };
}

/** The virtual hosts for an address: those for exactly this address, or else those for all addresses. */
function groupAt(address: Address, servers: readonly Server[]): Server[] {
  const matching = (test: (one: Address) => boolean): Server[] =>
    servers.filter(({ section }) => section?.args.some((one) => test(addressOf(one, false))) === true);
  const exact = matching(
    (one) => one.host === address.host && address.host !== '' && (one.port === address.port || one.port === ''),
  );
  return exact.length > 0
    ? exact
    : matching((one) => one.host === '' && (one.port === address.port || one.port === ''));
}

/** The first server of an address also takes all hosts without a server. */
function placesAt(listen: string, servers: readonly Server[], report: ImportReport): Place[] {
  const taken: string[] = [];
  return servers.map((server, index) => {
    const hosts: string[] = [];
    for (const name of new Set(server.names)) {
      const isName = /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/.test(name);
      if (!isName) tellName(server, name, index, report);
      else if (!taken.some((one) => covers(one, name))) hosts.push(name);
    }
    taken.push(...hosts);
    return { server, listen, hosts, isDefault: index === 0 };
  });
}

function tellName({ section, own }: Server, name: string, index: number, report: ImportReport): void {
  const directive = own.find(({ args }) => args.some((one) => hostOf(one) === name)) ?? section;
  if (directive === null || index === 0) return;
  report.danger(directive, `requests for ${name} get to the first virtual host: routes have a whole name, or *.NAME`);
}

/** Whether an earlier name takes the requests of a later one. */
function covers(earlier: string, later: string): boolean {
  if (earlier === later) return true;
  return earlier.startsWith('*.') && later.replace(/^\*/, '').endsWith(earlier.slice(1)) && later !== earlier.slice(2);
}
