import type { Address, Model, Server } from './model.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** The listening address that gets a connection: nginx prefers a specific address to all addresses. Null where nothing listens. */
export function chooseAddress({ addresses }: Model, address: string): Address | null {
  const port = /:\d+$/.exec(address)?.[0] ?? '';
  const everywhere = `${address.startsWith('[') ? '[::]' : '0.0.0.0'}${port}`;
  return (
    addresses.find((each) => each.address === address) ?? addresses.find((each) => each.address === everywhere) ?? null
  );
}

/** A Host field or the host of a URL: in lower case and without port. Null is what nginx refuses with 400. */
export function validHost(host: string): string | null {
  if (/\.\.|[/\0-\x20\x7f]/.test(host)) return null;
  const name = /^(\[[^\]]*\]|[^:]*)/.exec(host)?.[0] ?? '';
  const bare = name.replace(/\.$/, '');
  return bare === '' ? null : bare.toLowerCase();
}

/** The server of a name, and the groups of the pattern that found it. */
export interface ChosenServer {
  readonly server: Server;
  readonly match: RegExpExecArray | null;
}

/** Chooses by name: exact, the longest `*.name`, the longest `name.*`, the first pattern, the default server. */
export function chooseServer(address: Address, host: string): ChosenServer {
  const names = namesOf(address);
  const server = names.exact.get(host) ?? headOf(names.head, host) ?? tailOf(names.tail, host);
  if (server !== undefined) return { server, match: null };
  for (const each of address.servers) {
    for (const name of each.names) {
      if (name.kind !== 'pattern') continue;
      const { regex, source, wrong } = name.pattern;
      if (regex === null) throw new UnknownMeaning(`server_name ~${source}: ${wrong}`);
      const match = regex.exec(host);
      if (match !== null) return { server: each, match };
    }
  }
  return { server: address.defaultServer, match: null };
}

interface Names {
  readonly exact: Map<string, Server>;
  /** By the name without `*` : `.example.org` for subdomains; `example.org` counts for the name itself, too. */
  readonly head: Map<string, { readonly server: Server; readonly withItself: boolean }>;
  readonly tail: Map<string, Server>;
}

const known = new WeakMap<Address, Names>();

/** The first server that has a name keeps it. A name with a leading dot also takes the exact name. */
function namesOf(address: Address): Names {
  const found = known.get(address);
  if (found !== undefined) return found;
  const names: Names = { exact: new Map(), head: new Map(), tail: new Map() };
  const taken = new Set<string>();
  for (const server of address.servers) {
    for (const each of server.names) if (each.kind === 'name') addName(names, taken, each.name, server);
  }
  known.set(address, names);
  return names;
}

function addName({ exact, head, tail }: Names, taken: Set<string>, name: string, server: Server): void {
  if (name.length > 1 && name.startsWith('.')) {
    const bare = name.slice(1);
    if (taken.has(bare)) return;
    taken.add(bare);
    if (!head.has(bare)) head.set(bare, { server, withItself: true });
  } else if (name.length > 2 && name.startsWith('*.')) {
    const bare = name.slice(2);
    if (!head.has(bare)) head.set(bare, { server, withItself: false });
  } else if (name.length > 2 && name.endsWith('.*')) {
    const bare = name.slice(0, -2);
    if (!tail.has(bare)) tail.set(bare, server);
  } else if (!taken.has(name)) {
    taken.add(name);
    exact.set(name, server);
  }
}

function headOf(head: Names['head'], host: string): Server | undefined {
  const itself = head.get(host);
  if (itself?.withItself) return itself.server;
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    const found = head.get(host.slice(dot + 1));
    if (found !== undefined) return found.server;
  }
  return undefined;
}

function tailOf(tail: Names['tail'], host: string): Server | undefined {
  for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
    const found = tail.get(host.slice(0, dot));
    if (found !== undefined) return found;
  }
  return undefined;
}
