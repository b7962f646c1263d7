import { textOf } from './bytes.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './model.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** What the argument of `proxy_pass` and the like says. */
export interface Pass {
  /** `http://127.0.0.1:8000`, `uwsgi://unix:/run/a.sock`. */
  readonly to: readonly string[];
  /** The value of `$proxy_host`. */
  readonly host: string;
  /** The value of `$proxy_port`. */
  readonly port: string;
  /** The URI of the URL, empty without one. */
  readonly uri: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', grpc: '80', grpcs: '443' };

export function parsePass(
  exchange: Exchange,
  { url, module, statement }: Handler & { readonly kind: 'backend' },
): Pass {
  const written = exchange.evaluate(url);
  const [, given, rest = ''] = /^(?:(https?|grpcs?|fastcgi|s?uwsgi|scgi):\/\/)?(.*)$/is.exec(written) ?? [];
  const scheme = (given ?? (module === 'proxy' ? '' : module)).toLowerCase();
  if (scheme === '' || rest === '') throw new UnknownMeaning(statement.text);
  const { address, uri } = splitAddress(rest);
  const port = DEFAULT_PORTS[scheme] ?? '';
  const group = exchange.around.model.upstreams.get(address);
  const servers = group?.servers ?? [address];
  const to = servers.map((server) => `${scheme}://${textOf(withPort(server, group === undefined ? port : '80'))}`);
  if (address.startsWith('unix:')) return { to, host: 'localhost', port: '', uri };
  return { to, host: withoutPort(address, port), port: /:(\d+)$/.exec(address)?.[1] ?? port, uri };
}

/** `unix:/path:/uri`, `host:port/uri`. */
function splitAddress(rest: string): { readonly address: string; readonly uri: string } {
  if (rest.startsWith('unix:')) {
    const [path = '', uri = ''] = rest.slice(5).split(':', 2);
    return { address: `unix:${path.replace(/\/{2,}/g, '/')}`, uri };
  }
  const at = /[/?]/.exec(rest)?.index ?? rest.length;
  const uri = rest.slice(at);
  return { address: rest.slice(0, at), uri: uri.startsWith('?') ? `/${uri}` : uri };
}

function withPort(address: string, port: string): string {
  return address.startsWith('unix:') || /:\d+$/.test(address) || port === '' ? address : `${address}:${port}`;
}

function withoutPort(address: string, port: string): string {
  return address.endsWith(`:${port}`) ? address.slice(0, -port.length - 1) : address;
}
