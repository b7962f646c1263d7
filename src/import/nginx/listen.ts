import type { NginxContext } from './context.ts';
import { addressesOf } from './model/build-listen.ts';
import type { Model } from './model/model.ts';
import type { Listening } from './places.ts';
import type { Directive } from './tree.ts';

/** Words after an address that Viaduct decides by itself. */
const NEEDLESS =
  /^(?:http2|spdy|reuseport|deferred|bind|backlog=\d+|fastopen=\d+|rcvbuf=\w+|sndbuf=\w+|accept_filter=\w+|so_keepalive=\S+|ipv6only=\w+|setfib=\d+)$/;
const KNOWN: ReadonlySet<string> = new Set(['ssl', 'default_server', 'default', 'proxy_protocol', 'quic']);

/** Writes the addresses of all servers. Returns those that were carried over. */
export function writeListens({ builder, report, model, scopeOf }: NginxContext): Listening {
  const directives = model.servers.flatMap((server) => scopeOf(server).own('listen'));
  for (const directive of directives) tellWords(directive);
  const listening = new Map<string, string>();
  for (const { address, secure } of model.addresses) {
    const from = directives.filter(({ args: [written = ''] }) => addressesOf(written).includes(address));
    const isQuic = from.length > 0 && from.every(({ args }) => args.includes('quic'));
    if (!isAddress(address)) {
      for (const one of from) report.lost(one, 'Viaduct cannot listen on this address');
      continue;
    }
    if (isQuic) continue;
    const options = [
      ...(from.some(({ args }) => args.includes('proxy_protocol')) ? ['proxy_protocol=on'] : []),
      ...(isIpv6Only(address, from, model) ? ['ipv6only=on'] : []),
    ];
    const name = `${secure ? 'https' : 'http'}://${address}`;
    listening.set(address, name);
    if (from.length === 0 && builder.get('listen') === undefined) builder.assume('listen', [name], "nginx's default");
    else builder.push('listen', [name, options.join('&')].filter((part) => part !== '').join('?'), ...from);
  }
  return listening;

  function tellWords(directive: Directive): void {
    const words = directive.args.slice(1);
    report.took(directive);
    if (words.includes('quic')) report.lost(directive, 'Viaduct does not speak HTTP/3');
    const unknown = words.filter((word) => !KNOWN.has(word) && !NEEDLESS.test(word));
    if (unknown.length > 0) report.differs(directive, `${unknown.join(', ')} has no counterpart`);
  }
}

/** nginx takes no connections by IPv4 at `[::]`. Viaduct does so by itself only where another address has this port of all IPv4 hosts. */
function isIpv6Only(address: string, from: readonly Directive[], { addresses }: Model): boolean {
  const port = /^\[::\](:\d+)$/.exec(address)?.[1];
  if (port === undefined || from.some(({ args }) => args.includes('ipv6only=off'))) return false;
  return addresses.every((one) => one.address !== `0.0.0.0${port}`);
}

function isAddress(address: string): boolean {
  if (address.startsWith('unix:')) return /^unix:\/[^\s?]+$/.test(address);
  const [, port = ''] = /^(?:\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/.exec(address) ?? [];
  return port !== '' && Number(port) >= 1 && Number(port) <= 65_535;
}
