import type { Settings } from '../../config/settings.ts';
import { type Address, parseAddress } from '../../listen/address.ts';
import type { ListenerEnviron } from '../../wsgi/variables.ts';
import { withScheme } from '../tls.ts';

/** An address of the configuration, which nothing has bound. */
export interface DryListener {
  /** `0.0.0.0:80`, `[::]:443`, `unix:/run/site.sock`. */
  readonly address: string;
  readonly secure: boolean;
  readonly environ: ListenerEnviron;
}

/** The listeners of a configuration, in the order of their indexes. */
export function listenersOf({ listen, tlsSelfSigned }: Pick<Settings, 'listen' | 'tlsSelfSigned'>): DryListener[] {
  return listen.map((text) => {
    const address = parseAddress(withScheme(text, tlsSelfSigned));
    const secure = address.secure === true;
    const environ: ListenerEnviron = {
      SERVER_NAME: address.kind === 'tcp' ? address.host : 'localhost',
      SERVER_PORT: address.kind === 'tcp' ? `${address.port}` : secure ? '443' : '80',
      'wsgi.url_scheme': secure ? 'https' : 'http',
    };
    return { address: textOf(address), secure, environ };
  });
}

/** The index of the listener that gets connections to an address: the one that has it, or the one of all addresses; -1 for none. */
export function listenerFor(listeners: readonly DryListener[], address: string): number {
  const own = listeners.findIndex((one) => one.address === address);
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (own >= 0 || port === '' || address.startsWith('unix:')) return own;
  const all = host.startsWith('[') ? `[::]:${port}` : `0.0.0.0:${port}`;
  return listeners.findIndex((one) => one.address === all);
}

function textOf(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  if (address.kind === 'fd') return `fd:${address.fd}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
