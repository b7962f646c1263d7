import type { BodySink, BodySource } from '../../src/http/message.ts';
import { must } from './failure.ts';
import type { Machine } from './machine.ts';
import { pattern } from './pattern.ts';
import type { Attempt } from './requests.ts';

/** A client that reads a response in parts. It may pause for a while, or leave. */
export class Download implements BodySink {
  readonly #body: BodySource;
  received = 0;
  readonly #machine: Machine;
  readonly #token: number;
  readonly #attempt: Attempt;
  readonly #slowness: number;
  readonly #onOver: () => void;
  #over = false;

  constructor(
    machine: Machine,
    token: number,
    attempt: Attempt,
    body: BodySource,
    slowness: number,
    onOver: () => void,
  ) {
    this.#machine = machine;
    this.#token = token;
    this.#attempt = attempt;
    this.#body = body;
    this.#slowness = slowness;
    this.#onOver = onOver;
  }

  start(): void {
    const { random } = this.#machine;
    if (random.chance(this.#slowness)) this.#later(random.magnitude(0.1, 1000), 'starts to read', () => this.#start());
    else this.#start();
  }

  leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#body.cancel();
    this.#onOver();
  }

  write(block: Uint8Array): void {
    must(!this.#over, () => `request ${this.#token} got content after the end`);
    const expected = pattern(this.#token, this.received, block.length);
    must(this.#attempt.worker.lied || expected.equals(block), () => `request ${this.#token} got other content`);
    this.received += block.length;
    const { random } = this.#machine;
    if (!random.chance(this.#slowness)) return;
    this.#body.pause();
    this.#later(random.magnitude(0.1, 2000), 'reads on', () => {
      if (!this.#over) this.#body.resume();
    });
  }

  end(): void {
    const { plan, worker } = this.#attempt;
    const isWhole = this.received === plan.length && plan.kind !== 'abort';
    must(isWhole || worker.lied, () => `request ${this.#token}: a response that broke off looks complete`);
    this.#finish();
  }

  fail(): void {
    const { plan, worker } = this.#attempt;
    const isJustified = plan.kind === 'abort' || worker.state === 'dead' || worker.lied;
    must(isJustified, () => `request ${this.#token}: a response broke off without a reason`);
    this.#finish();
  }

  #start(): void {
    if (!this.#over) this.#body.start(this);
  }

  #finish(): void {
    must(!this.#over, () => `request ${this.#token}: the content ended twice`);
    this.#over = true;
    this.#onOver();
  }

  #later(delayMs: number, kind: string, run: () => void): void {
    const { schedule, server } = this.#machine;
    schedule.after(server, delayMs, kind, run);
  }
}
