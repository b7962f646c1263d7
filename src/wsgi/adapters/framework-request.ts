import type { HeaderList, Peer, Protocol, Request, RequestBody } from '../../http/message.ts';

/** A request that a server which is not ours has received. */
export abstract class ForeignRequest implements Request {
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
  readonly recurring = 0;
  readonly upgrades = false;
  onGone: (() => void) | null = null;
  /** What the application did wrong before it answered; null for nothing. */
  failure: unknown = null;
  /** The response is there: what fails from now on is not an answer any more. */
  isAnswered = false;
  #gone = false;

  get gone(): boolean {
    return this.#gone;
  }

  /** Interim responses stay here: servers differ in whether, and how, they can send one. */
  sendInterim(): void {}

  /** The client no longer waits. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    const told = this.onGone;
    this.onGone = null;
    told?.();
  }
}

/** What a foreign server knows of the two ends of a connection. */
export function peerOf(remoteAddress: string, remotePort: number, secure: boolean, serverPort: string): Peer {
  return { remoteAddress, remotePort, listener: 0, secure, serverPort };
}
