import type { HeaderList, Peer, Protocol, Request, RequestBody } from '../../http/message.ts';
import { newRecord } from '../../http/request-record.ts';

/** A request that the server of a framework has received. */
export abstract class FrameworkRequest implements Request {
  abstract readonly method: string;
  abstract readonly path: string;
  abstract readonly query: string;
  abstract readonly protocol: Protocol;
  abstract readonly headers: HeaderList;
  abstract readonly headersRepeat: boolean;
  abstract readonly scriptName: string;
  abstract readonly host: string;
  abstract readonly body: RequestBody | null;
  abstract readonly peer: Peer;
  readonly headerCacheId = 0;
  readonly upgrades = false;
  readonly record = newRecord();
  onGone: (() => void) | null = null;
  /** The application's error before it answered; null for none. */
  failure: unknown = null;
  /** The response exists: a later error cannot become an answer. */
  isAnswered = false;
  #gone = false;

  get gone(): boolean {
    return this.#gone;
  }

  /** Sends nothing: servers differ in whether and how they can send an interim response. */
  sendInterim(): void {}

  /** The client no longer waits. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    const { onGone } = this;
    this.onGone = null;
    onGone?.();
  }
}

/** The two ends of a connection, as far as the server of a framework knows them. */
export function peerOf(remoteAddress: string, remotePort: number, secure: boolean, serverPort: string): Peer {
  return { remoteAddress, remotePort, listener: 0, secure, serverPort };
}
