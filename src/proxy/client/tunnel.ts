import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { responseFields } from '../../http/response-fields.ts';
import { breakOff, confirmEnd } from '../../http/transport/reset-socket.ts';
import { UpgradeResponse } from '../../http/upgrade-response.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { BackendConnection, ConnectionUser } from './backend-connection.ts';

export interface TunnelTimes {
  /** Limit for handing over the client's socket. */
  readonly connectTicks: number;
  /** Limit without a byte in either direction; 0 for no limit. */
  readonly tunnelIdleTicks: number;
}

/** Whether the client requested `protocol`; `requested` is the value of the client's Upgrade field. */
export function includesProtocol(protocol: string, requested: string): boolean {
  const lower = protocol.toLowerCase();
  return lower !== '' && requested.split(',').some((name) => name.trim().toLowerCase() === lower);
}

/**
 * The 101 response that connects the client's connection to the backend's connection, which has switched its protocol.
 */
export function openTunnel(
  connection: BackendConnection,
  head: ResponseHead,
  times: TunnelTimes,
  request: Request,
): UpgradeResponse {
  const tunnel = new Tunnel(connection, times);
  connection.user = tunnel;
  connection.setReading(false);
  connection.setDeadline(times.connectTicks);
  request.onGone = () => connection.reset();
  const fields = responseFields(new Response(101, '', head.lines, -1, head.has, null));
  return new UpgradeResponse(head.framing.upgrade, withoutContentLength(fields), (socket, early) => {
    request.onGone = null;
    tunnel.join(socket, early);
  });
}

/** `Content-Length: 0` has no meaning in a 101 response. */
function withoutContentLength(fields: readonly string[]): string[] {
  return fields.filter((_, i) => (fields[i - (i % 2)] as string).toLowerCase() !== 'content-length');
}

/**
 * Passes bytes in both directions. When one side half-closes, the other side is half-closed after the bytes in transit.
 * What is not an end, such as a reset, becomes a reset of the other side.
 */
class Tunnel implements ConnectionUser {
  readonly request = null;
  readonly #connection: BackendConnection;
  readonly #times: TunnelTimes;
  #client: Duplex | null = null;
  #clientEnded = false;
  #backendEnded = false;

  constructor(connection: BackendConnection, times: TunnelTimes) {
    this.#connection = connection;
    this.#times = times;
  }

  join(client: Duplex, early: Buffer): void {
    const connection = this.#connection;
    if (connection.closed) {
      resetClient(client);
      return;
    }
    this.#client = client;
    if (client instanceof Socket) client.setKeepAlive(true, 60_000);
    client.on('data', (block: Buffer) => this.#fromClient(block));
    client.on('end', () => {
      if (client instanceof Socket) confirmEnd(client, () => this.#endFromClient());
      else this.#endFromClient();
    });
    client.on('drain', () => connection.setReading(true));
    client.on('error', () => connection.reset());
    client.on('close', () => this.#clientClosed());
    this.#touch();
    if (early.length > 0) this.#fromClient(early);
    if (client.readableEnded) this.#endFromClient(); // it ended before the protocol was switched, so the event is over
    this.received();
    if (!client.writableNeedDrain) connection.setReading(true);
    if (!connection.socket.writableNeedDrain) client.resume();
  }

  #endFromClient(): void {
    this.#clientEnded = true;
    this.#connection.socket.end();
  }

  connected(): void {}

  received(): void {
    const client = this.#client;
    const { input } = this.#connection;
    if (client === null || input.length === 0) return;
    const block = Buffer.from(input.bytes.subarray(input.at, input.end));
    input.at = input.end;
    this.#touch();
    if (!client.write(block)) this.#connection.setReading(false);
  }

  ended(): void {
    this.#backendEnded = true;
    this.#client?.end();
  }

  drained(): void {
    this.#client?.resume();
  }

  /** Bytes that the backend sent before it closed are still delivered to the client. */
  closed(error: Error | null): void {
    const client = this.#client;
    if (client === null) return;
    if (error === null && this.#backendEnded && client.writable) client.end();
    else if (error !== null || !this.#backendEnded) resetClient(client);
  }

  malformed(): void {
    this.timedOut();
  }

  timedOut(): void {
    this.#connection.reset();
    if (this.#client !== null) resetClient(this.#client);
  }

  #fromClient(block: Buffer): void {
    this.#touch();
    if (!this.#connection.socket.write(block)) this.#client?.pause();
  }

  #clientClosed(): void {
    if (!this.#clientEnded || !this.#backendEnded) this.#connection.reset();
  }

  #touch(): void {
    if (this.#times.tunnelIdleTicks === 0) this.#connection.clearDeadline();
    else this.#connection.setDeadline(this.#times.tunnelIdleTicks);
  }
}

/** Over HTTP/2 the end of the stream's socket is RST_STREAM (RFC 8441 section 5). */
function resetClient(client: Duplex): void {
  if (client instanceof Socket) breakOff(client);
  else client.destroy();
}
