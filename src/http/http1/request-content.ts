import { Refusal, type RequestBodyError } from '../refusal.ts';
import type { ClientLink } from '../transport/client-socket-control.ts';
import type { ServerContext } from '../transport/server-context.ts';
import { type BodyOwner, BodyReader } from './body-reader.ts';
import type { Framing } from './framing.ts';
import type { Input } from './input.ts';

const CUT_SHORT = new Refusal(400, 'the connection ended within the content');
/** Unread content that is received for the sake of the next request; with more a new connection is cheaper. */
const UNREAD_BYTES_MAX = 65536;

/** The connection, as the content of its request sees it. */
export interface ContentOwner {
  /** The client sends no more. */
  readonly ended: boolean;
  /** The application wants what the client sends only after `100 Continue`. */
  continueContent(): void;
  /** All of it came. */
  contentOver(): void;
  /** It is wrong, too large, or cut short. */
  contentRefused(refusal: Refusal): void;
  /** What nobody wants of it is too much to wait for the next request. */
  contentTooLong(): void;
}

/** Moves a request's content from the connection's input to whoever wants it, asks the client for it, and holds the client to its time. */
export class RequestContent implements BodyOwner {
  readonly body: BodyReader;
  readonly #input: Input;
  readonly #link: ClientLink;
  readonly #context: ServerContext;
  readonly #owner: ContentOwner;
  #expectsContinue: boolean;
  /** Content that is skipped may be so long. */
  #skippedMax = Number.POSITIVE_INFINITY;
  #left = false;

  constructor(framing: Framing, input: Input, link: ClientLink, context: ServerContext, owner: ContentOwner) {
    this.body = new BodyReader(framing.contentLength, context.limits, this);
    this.#expectsContinue = framing.expectsContinue;
    this.#input = input;
    this.#link = link;
    this.#context = context;
    this.#owner = owner;
  }

  onBodyWanted(): void {
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      if (this.#input.length === 0) this.#owner.continueContent();
    }
    this.await();
    this.#link.setReceiving(!this.#owner.ended);
    this.feed(0);
  }

  onBodyPaused(): void {
    if (!this.#link.blocked) this.#link.awaitNothing();
    this.#link.setReceiving(false);
  }

  /** The client has its time again, unless a response waits for it first. */
  await(): void {
    if (!this.#link.blocked) this.#link.await(this.#context.bodyTicks);
  }

  /** `bytes` came: passes on what of them is content. The owner may be told anything in between, so this is the last step of its caller. */
  feed(bytes: number): void {
    const { body } = this;
    if (!body.flowing) return;
    const refusal = body.read(this.#input);
    if (refusal !== null) this.#owner.contentRefused(refusal);
    else if (this.#left) return;
    else if (body.over) this.#owner.contentOver();
    else if (this.#owner.ended) this.#owner.contentRefused(CUT_SHORT);
    else if (body.received > this.#skippedMax) this.#owner.contentTooLong();
    else if (body.flowing) this.#link.received(bytes);
  }

  /** The client sends no more. */
  end(): void {
    if (!this.body.over && this.body.flowing) this.#owner.contentRefused(CUT_SHORT);
  }

  /** Whether what is left is little enough to be read past. */
  get skippable(): boolean {
    const { body } = this;
    if (body.over) return true;
    if (this.#expectsContinue && body.received === 0 && this.#input.length === 0) return false;
    return body.left <= UNREAD_BYTES_MAX;
  }

  /** Receives what is left for the sake of the next request. */
  skip(): void {
    this.#skippedMax = this.body.received + UNREAD_BYTES_MAX;
    this.body.discard();
    this.#link.await(this.#context.lingerTicks);
    this.#link.setReceiving(true);
    this.feed(0);
  }

  /** The connection has left it, complete or not. */
  leave(): void {
    this.#left = true;
    this.body.discard();
  }

  /** It will not come whole. */
  fail(error: RequestBodyError): void {
    this.body.fail(error);
  }
}
