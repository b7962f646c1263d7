import { parseAddress } from './address.ts';

/**
 * Whether `name` means the address `listen` of a server. Both are texts as `parseAddress` reads them, or names of sockets
 * that a service manager passes. Each endpoint is bound once, so `name` needs no scheme and no options; a scheme that it
 * has must be that of `listen`.
 */
export function isSameAddress(name: string, listen: string): boolean {
  const [wanted, bound] = [partsOf(name), partsOf(listen)];
  if (wanted.endpoint !== bound.endpoint) return false;
  return wanted.scheme === '' || wanted.scheme === (bound.scheme || 'http');
}

interface Parts {
  /** '' without one. */
  readonly scheme: string;
  readonly endpoint: string;
}

function partsOf(text: string): Parts {
  const [, scheme = '', endpoint = ''] = /^(?:([a-z]+):\/\/)?([^?]*)/s.exec(text) ?? [];
  if (endpoint.startsWith('systemd')) return { scheme, endpoint };
  const address = parseAddress(scheme === '' ? endpoint : `${scheme}://${endpoint}`);
  switch (address.kind) {
    case 'tcp':
      return { scheme, endpoint: `${address.host.toLowerCase()} ${address.port}` };
    case 'unix':
      return { scheme, endpoint: `unix:${address.path}` };
    case 'fd':
      return { scheme, endpoint: `fd:${address.fd}` };
  }
}
