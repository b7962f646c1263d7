import { Refusal, type RequestBodyError } from '../refusal.ts';
import type { Framing } from '../semantics/framing.ts';
import type { ClientSocketControl } from '../transport/client-socket-control.ts';
import type { ServerContext } from '../transport/server-context.ts';
import { type BodyOwner, BodyReader } from './body-reader.ts';
import type { Input } from './input.ts';

const CUT_SHORT = new Refusal(400, 'the connection ended within the content');
/** How much unread content is received to reach the next request; beyond that a new connection is cheaper. */
const UNREAD_BYTES_MAX = 65536;

/** The connection as the content of its request sees it. */
export interface ContentOwner {
  /** Whether the client has sent its last byte. */
  readonly ended: boolean;
  /** The application wants the content, and the client waits for `100 Continue` before it sends it. */
  continueContent(): void;
  /** The content is complete. */
  contentOver(): void;
  /** The content is wrong, too large, or cut short. */
  contentRefused(refusal: Refusal): void;
  /** The unread content is too long to wait for the next request. */
  contentTooLong(): void;
}

/**
 * Moves the content of a request from the connection's input to the application, asks the client for it, and watches the client's time
 * limits.
 */
export class RequestContent implements BodyOwner {
  readonly body: BodyReader;
  readonly #input: Input;
  readonly #socketControl: ClientSocketControl;
  readonly #context: ServerContext;
  readonly #owner: ContentOwner;
  #expectsContinue: boolean;
  /** Limit for `body.received` while the content is skipped. */
  #skippedMax = Number.POSITIVE_INFINITY;
  #detached = false;

  constructor(
    framing: Framing,
    input: Input,
    socketControl: ClientSocketControl,
    context: ServerContext,
    owner: ContentOwner,
  ) {
    this.body = new BodyReader(framing, context.limits, this);
    this.#expectsContinue = framing.expectsContinue;
    this.#input = input;
    this.#socketControl = socketControl;
    this.#context = context;
    this.#owner = owner;
  }

  onBodyWanted(): void {
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      if (this.#input.length === 0) this.#owner.continueContent();
    }
    this.await();
    this.#socketControl.setReceiving(!this.#owner.ended);
    this.feed(0);
  }

  onBodyPaused(): void {
    if (!this.#socketControl.blocked) this.#socketControl.awaitNothing();
    this.#socketControl.setReceiving(false);
  }

  /** Restarts the client's time for content, unless the client has to take a part of the response first. */
  await(): void {
    if (!this.#socketControl.blocked) this.#socketControl.await(this.#context.bodyTicks);
  }

  /** `bytes` arrived: passes on the content among them. The owner may be called meanwhile, so callers do nothing after this call. */
  feed(bytes: number): void {
    const { body } = this;
    if (!body.flowing) return;
    const refusal = body.read(this.#input);
    if (refusal !== null) this.#owner.contentRefused(refusal);
    else if (this.#detached) return;
    else if (body.over) this.#owner.contentOver();
    else if (this.#owner.ended) this.#owner.contentRefused(CUT_SHORT);
    else if (body.received > this.#skippedMax) this.#owner.contentTooLong();
    else if (body.flowing) this.#socketControl.received(bytes);
  }

  /** The client has sent its last byte. */
  end(): void {
    if (!this.body.over && this.body.flowing) this.#owner.contentRefused(CUT_SHORT);
  }

  /** Whether the remaining content is short enough to be skipped. */
  get skippable(): boolean {
    const { body } = this;
    if (body.over) return true;
    if (this.#expectsContinue && body.received === 0 && this.#input.length === 0) return false;
    return body.left <= UNREAD_BYTES_MAX;
  }

  /** Receives and drops the remaining content, to reach the next request. */
  skip(): void {
    this.#skippedMax = this.body.received + UNREAD_BYTES_MAX;
    this.body.discard();
    this.#socketControl.await(this.#context.lingerTicks);
    this.#socketControl.setReceiving(true);
    this.feed(0);
  }

  /** The connection no longer needs the content, complete or not. */
  detach(): void {
    this.#detached = true;
    this.body.discard();
  }

  /** The content will not arrive completely. */
  fail(error: RequestBodyError): void {
    this.body.fail(error);
  }
}
