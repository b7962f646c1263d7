import type { Directive } from '../tree.ts';
import type { Address, Server } from './model.ts';

interface Listen {
  readonly address: string;
  readonly secure: boolean;
  readonly isDefault: boolean;
}

/** The listening addresses of all servers, in the order in which they appear first. */
export function buildAddresses(servers: readonly { server: Server; directives: readonly Directive[] }[]): Address[] {
  const listens = new Map<string, { secure: boolean; servers: Server[]; defaultServer: Server | null }>();
  for (const { server, directives } of servers) {
    for (const { address, secure, isDefault } of listensOf(directives)) {
      const found = listens.get(address) ?? { secure: false, servers: [], defaultServer: null };
      listens.set(address, found);
      found.secure ||= secure;
      if (!found.servers.includes(server)) found.servers.push(server);
      if (isDefault) found.defaultServer ??= server;
    }
  }
  return [...listens].map(([address, { secure, servers: own, defaultServer }]) => {
    return { address, secure, servers: own, defaultServer: defaultServer ?? (own[0] as Server) };
  });
}

function listensOf(directives: readonly Directive[]): Listen[] {
  const allSecure = directives.some(({ name, args }) => name === 'ssl' && args[0] === 'on');
  const written = directives.filter(({ name }) => name === 'listen');
  if (written.length === 0) return [{ address: '0.0.0.0:80', secure: allSecure, isDefault: false }];
  return written.flatMap(({ args: [address = '', ...parameters] }) => {
    const secure = allSecure || parameters.includes('ssl');
    const isDefault = parameters.includes('default_server') || parameters.includes('default');
    return addressesOf(address).map((each) => ({ address: each, secure, isDefault }));
  });
}

/** `80`, `*:80`, `localhost:80`, `[::]`, `unix:/path` and ranges of ports, as nginx normalizes them. */
export function addressesOf(written: string): string[] {
  if (written.startsWith('unix:')) return [`unix:${written.slice(5).replace(/\/{2,}/g, '/')}`];
  const [, host = '', port = '80'] = /^(\d+(?:-\d+)?)$/.test(written)
    ? ['', '*', written]
    : (/^(\[[^\]]*\]|[^:]*)(?::(\d+(?:-\d+)?))?$/.exec(written) ?? []);
  const [first = 80, last = first] = port.split('-').map(Number);
  const normal = host === '*' || host === '' ? '0.0.0.0' : host === 'localhost' ? '127.0.0.1' : host.toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, index) => `${normal}:${first + index}`);
}
