import { formatAddress, freeAddress } from '../addresses.ts';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

/** waitress, which has HTTP only. Its trusted proxies must be set. */
export const startWaitress: StartBackend = (t, framework) => {
  const address = freeAddress();
  const trust = ['--trusted-proxy=127.0.0.1', '--trusted-proxy-headers=x-forwarded-for x-forwarded-proto'];
  const socket = [`--listen=${formatAddress(address)}`, '--threads=8'];
  return startPython(t, 'waitress-serve', [...socket, ...trust, TARGETS[framework]], { http: address });
};
