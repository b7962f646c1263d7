import { isIP } from 'node:net';
import type { Request } from '../http/message.ts';

/** Which fields describe the client to the backend. */
export type ForwardedMode = 'x-forwarded' | 'forwarded' | 'both' | 'off';

/** The values of these fields in the received request; '' for an absent field. */
export interface ReceivedForwarding {
  for: string;
  host: string;
  port: string;
  forwarded: string;
}

/** Field lines that describe the client of `request` to the backend. `port` is the listener's port, '' when unknown. */
export function forwardedLines(
  request: Request,
  received: ReceivedForwarding,
  mode: ForwardedMode,
  port: string,
): string {
  if (mode === 'off') return '';
  const lines = mode === 'forwarded' ? '' : xForwardedLines(request, received, port);
  return mode === 'x-forwarded' ? lines : `${lines}Forwarded: ${forwardedValue(request, received.forwarded)}\r\n`;
}

/**
 * Appends the client's address unless the list already contains it: then a trusted proxy has already named this client.
 */
function xForwardedLines({ peer, host }: Request, received: ReceivedForwarding, port: string): string {
  const { remoteAddress, secure, serverPort } = peer;
  const isListed = remoteAddress === '' || received.for.split(',').some((address) => address.trim() === remoteAddress);
  const addresses = isListed ? received.for : received.for === '' ? remoteAddress : `${received.for}, ${remoteAddress}`;
  const forHost = received.host === '' ? host : received.host;
  const forPort = received.port || serverPort || port || (secure ? '443' : '80');
  return (
    (addresses === '' ? '' : `X-Forwarded-For: ${addresses}\r\n`) +
    `X-Forwarded-Proto: ${secure ? 'https' : 'http'}\r\n` +
    (forHost === '' ? '' : `X-Forwarded-Host: ${forHost}\r\n`) +
    `X-Forwarded-Port: ${forPort}\r\n`
  );
}

/** RFC 7239 section 4. */
function forwardedValue({ peer, host }: Request, received: string): string {
  const node = nodeOf(peer.remoteAddress);
  if (received.toLowerCase().includes(`for=${node}`)) return received;
  const forHost = host === '' ? '' : `;host=${quoted(host)}`;
  const element = `for=${node}${forHost};proto=${peer.secure ? 'https' : 'http'}`;
  return received === '' ? element : `${received}, ${element}`;
}

/** RFC 7239 section 6. */
function nodeOf(address: string): string {
  if (address === '') return 'unknown';
  return isIP(address) === 6 ? `"[${address}]"` : address;
}

/** A token needs no quotes (RFC 9110 section 5.6.4). */
function quoted(value: string): string {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
