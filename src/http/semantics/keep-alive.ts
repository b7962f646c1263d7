import type { BodyFraming } from '../response-channel.ts';

/**
 * Only this file decides whether a connection continues after a response (RFC 9112 section 9.3). The client must allow keep-alive, then the
 * server, then the framing of the response: each step can only withdraw it. The `Connection` field announces the outcome.
 */

/** Whether the client allows keep-alive: by default in HTTP/1.1, on request in HTTP/1.0, and never with `Connection: close`. */
export function clientAllowsKeepAlive(isHttp11: boolean, hasClose: boolean, hasKeepAlive: boolean): boolean {
  return !hasClose && (isHttp11 || hasKeepAlive);
}

/** Whether the server allows keep-alive: unless it stops, or the remaining content of the request is too long to be skipped. */
export function serverAllowsKeepAlive(draining: boolean, content: { readonly skippable: boolean } | null): boolean {
  return !draining && content?.skippable !== false;
}

/** Whether the framing allows keep-alive: if the client finds the end of the response without the end of the connection. */
export function framingAllowsKeepAlive(framing: BodyFraming, isWhole: boolean): boolean {
  return isWhole && framing !== 'close';
}

export const CONNECTION_CLOSE = 'Connection: close\r\n';
const CONNECTION_KEEP_ALIVE = 'Connection: keep-alive\r\n';

/** The `Connection` line of a response, '' for the default of the HTTP version. */
export function connectionLine(keepAlive: boolean, minorVersion: 0 | 1): string {
  if (!keepAlive) return CONNECTION_CLOSE;
  return minorVersion === 0 ? CONNECTION_KEEP_ALIVE : '';
}
