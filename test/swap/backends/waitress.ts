import { takePlace, written } from '../addresses.ts';
import { type StartBackend, startPython, TARGETS } from './backend.ts';

/** waitress speaks HTTP. Whom it believes must be said. */
export const startWaitress: StartBackend = (framework) => {
  const place = takePlace();
  const trust = ['--trusted-proxy=127.0.0.1', '--trusted-proxy-headers=x-forwarded-for x-forwarded-proto'];
  const socket = [`--listen=${written(place)}`, '--threads=8'];
  return startPython('waitress-serve', [...socket, ...trust, TARGETS[framework]], { http: place });
};
