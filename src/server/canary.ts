import type { Next } from '../http/handler.ts';

const STEPS = 1_000_000;

/**
 * Sends the share `share` of the clients to `fresh`, and the others to `old`. A client, by its address, always gets the same one. Servers with
 * the same `seed` agree; another seed chooses other clients.
 */
export function canary(share: number, seed: number, old: Next, fresh: Next): Next {
  if (share >= 1) return fresh;
  const steps = Math.round(share * STEPS);
  return (request) => (hash(request.peer.remoteAddress, seed) % STEPS < steps ? fresh : old)(request);
}

/** FNV-1a with 32 bits, and the last step of MurmurHash3, because addresses of neighbours differ in their last digit. */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
