import type { Socket } from 'node:net';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { responseFields } from '../../http/response-fields.ts';
import { UpgradeResponse } from '../../http/upgrade-response.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { BackendConnection, ConnectionUser } from './backend-connection.ts';

export interface TunnelTimes {
  /** For the client's socket to be handed over. */
  readonly connectTicks: number;
  /** Without a byte in either direction; 0 for ever. */
  readonly tunnelIdleTicks: number;
}

/** Whether a backend that switches to `protocol` was asked for it: `wanted` is what the client's Upgrade says. */
export function isAmong(protocol: string, wanted: string): boolean {
  const lower = protocol.toLowerCase();
  return lower !== '' && wanted.split(',').some((name) => name.trim().toLowerCase() === lower);
}

/** The response that joins a backend's connection, which has switched its protocol, with the client's. */
export function openTunnel(
  connection: BackendConnection,
  head: ResponseHead,
  times: TunnelTimes,
  request: Request,
): UpgradeResponse {
  const tunnel = new Tunnel(connection, times);
  connection.user = tunnel;
  connection.setReading(false);
  connection.await(times.connectTicks);
  request.onGone = () => connection.destroy();
  const fields = responseFields(new Response(101, '', head.lines, -1, head.has, null));
  return new UpgradeResponse(head.framing.upgrade, withoutLength(fields), (socket, early) => {
    request.onGone = null;
    tunnel.join(socket, early);
  });
}

/** `Content-Length: 0` says nothing here. */
function withoutLength(fields: readonly string[]): string[] {
  return fields.filter((_, i) => (fields[i - (i % 2)] as string).toLowerCase() !== 'content-length');
}

/** Carries bytes both ways. A half-closed side closes the other's half behind what is under way, an error cuts both. */
class Tunnel implements ConnectionUser {
  readonly #connection: BackendConnection;
  readonly #times: TunnelTimes;
  #client: Socket | null = null;
  #clientEnded = false;
  #backendEnded = false;

  constructor(connection: BackendConnection, times: TunnelTimes) {
    this.#connection = connection;
    this.#times = times;
  }

  join(client: Socket, early: Buffer): void {
    const connection = this.#connection;
    if (connection.closed) {
      client.destroy();
      return;
    }
    this.#client = client;
    client.setKeepAlive(true, 60_000);
    client.on('data', (block: Buffer) => this.#fromClient(block));
    client.on('end', () => {
      this.#clientEnded = true;
      connection.socket.end();
    });
    client.on('drain', () => connection.setReading(true));
    client.on('error', () => connection.destroy());
    client.on('close', () => this.#clientClosed());
    this.#touch();
    if (early.length > 0) this.#fromClient(early);
    this.received();
    if (!client.writableNeedDrain) connection.setReading(true);
    if (!connection.socket.writableNeedDrain) client.resume();
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

  /** What the backend sent before it closed still goes to the client. */
  closed(error: Error | null): void {
    const client = this.#client;
    if (client === null) return;
    if (error === null && this.#backendEnded && client.writable) client.end();
    else if (error !== null || !this.#backendEnded) client.destroy();
  }

  garbled(): void {
    this.late();
  }

  late(): void {
    this.#connection.destroy();
    this.#client?.destroy();
  }

  #fromClient(block: Buffer): void {
    this.#touch();
    if (!this.#connection.socket.write(block)) this.#client?.pause();
  }

  #clientClosed(): void {
    if (!this.#clientEnded || !this.#backendEnded) this.#connection.destroy();
  }

  #touch(): void {
    if (this.#times.tunnelIdleTicks === 0) this.#connection.awaitNothing();
    else this.#connection.await(this.#times.tunnelIdleTicks);
  }
}
