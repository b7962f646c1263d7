import { isIP } from 'node:net';
import type { Request } from '../http/message.ts';

/** Which fields tell the backend about the client. */
export type ForwardedMode = 'x-forwarded' | 'forwarded' | 'both' | 'off';

/** What such fields said when they came: '' where there was none. */
export interface ForwardedBefore {
  for: string;
  host: string;
  port: string;
  forwarded: string;
}

/** Field lines that tell the backend about `request`'s client. `port` is the listener's, '' when unknown. */
export function forwardedLines(request: Request, before: ForwardedBefore, mode: ForwardedMode, port: string): string {
  if (mode === 'off') return '';
  const lines = mode === 'forwarded' ? '' : xForwardedLines(request, before, port);
  return mode === 'x-forwarded' ? lines : `${lines}Forwarded: ${forwardedValue(request, before.forwarded)}\r\n`;
}

/** The client's address is appended to the list unless it is there: a trusted proxy has named the same client then. */
function xForwardedLines({ peer, host }: Request, before: ForwardedBefore, port: string): string {
  const { remoteAddress, secure, serverPort } = peer;
  const named = remoteAddress === '' || before.for.split(',').some((address) => address.trim() === remoteAddress);
  const addresses = named ? before.for : before.for === '' ? remoteAddress : `${before.for}, ${remoteAddress}`;
  const forHost = before.host === '' ? host : before.host;
  const forPort = before.port || serverPort || port || (secure ? '443' : '80');
  return (
    (addresses === '' ? '' : `X-Forwarded-For: ${addresses}\r\n`) +
    `X-Forwarded-Proto: ${secure ? 'https' : 'http'}\r\n` +
    (forHost === '' ? '' : `X-Forwarded-Host: ${forHost}\r\n`) +
    `X-Forwarded-Port: ${forPort}\r\n`
  );
}

/** RFC 7239 section 4. */
function forwardedValue({ peer, host }: Request, before: string): string {
  const node = nodeOf(peer.remoteAddress);
  if (before.toLowerCase().includes(`for=${node}`)) return before;
  const forHost = host === '' ? '' : `;host=${quoted(host)}`;
  const element = `for=${node}${forHost};proto=${peer.secure ? 'https' : 'http'}`;
  return before === '' ? element : `${before}, ${element}`;
}

/** RFC 7239 section 6. */
function nodeOf(address: string): string {
  if (address === '') return 'unknown';
  return isIP(address) === 6 ? `"[${address}]"` : address;
}

/** A token may stand as it is (RFC 9110 section 5.6.4). */
function quoted(value: string): string {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
