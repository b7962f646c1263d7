import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { QueueDelay } from '../../src/workers/queue-delay.ts';

const DELAY_MS = 1000;
const STEP_MS = 10;

/** An application that answers `capacity` requests each second, and clients that send so many in a step of 10 ms. */
class Load {
  readonly delay = new QueueDelay(DELAY_MS);
  nowMs = 5000;
  waiting = 0;
  refused = 0;
  served = 0;
  waitMsMax = 0;
  readonly #capacity: number;
  #due = 0;
  readonly #entered: number[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.delay.begin(this.nowMs);
  }

  run(ms: number, requestsAt: (nowMs: number) => number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; this.nowMs += STEP_MS) {
      for (let i = requestsAt(this.nowMs); i > 0; i -= 1) this.#arrive();
      this.#due = Math.min(this.#due + (this.#capacity * STEP_MS) / 1000, this.waiting);
      for (; this.#due >= 1; this.#due -= 1) this.#leave();
    }
  }

  #arrive(): void {
    if (this.waiting === 0) this.delay.begin(this.nowMs);
    if (
      this.delay.isOverloaded(this.waiting, this.nowMs) &&
      this.delay.expectedMs(this.waiting, this.nowMs) > DELAY_MS
    ) {
      this.refused += 1;
      return;
    }
    this.waiting += 1;
    this.#entered.push(this.nowMs);
  }

  #leave(): void {
    this.delay.leave();
    this.waiting -= 1;
    this.served += 1;
    this.waitMsMax = Math.max(this.waitMsMax, this.nowMs - (this.#entered.shift() as number));
  }
}

describe('the delay of the queue', () => {
  it('refuses nothing while the application keeps up', () => {
    const load = new Load(1000);
    load.run(60_000, () => 9);
    assert.equal(load.refused, 0);
  });

  it('lets a burst wait that is answered soon', () => {
    const load = new Load(1000);
    load.run(60_000, (nowMs) => (nowMs === 6000 ? 1300 : 5));
    assert.equal(load.refused, 0);
  });

  for (const factor of [1.2, 2, 5]) {
    it(`keeps the application busy and the wait bounded at ${factor} times its capacity`, () => {
      const load = new Load(1000);
      let owed = 0;
      load.run(60_000, () => {
        owed += 10 * factor;
        const now = Math.floor(owed);
        owed -= now;
        return now;
      });
      assert.ok(load.served >= 0.99 * 60_000, `${load.served} were answered`);
      // Before it counts as overload, requests come for a second.
      const waitMsMax = DELAY_MS * (1 + factor);
      assert.ok(load.waitMsMax <= waitMsMax, `one waited for ${load.waitMsMax} ms, and ${waitMsMax} are expected`);
      assert.ok(load.refused >= 0.9 * (factor - 1) * 60_000 - 2000, `${load.refused} were refused`);
    });
  }

  it('expects a stop to last as long again, and then the rate that it knows', () => {
    const load = new Load(1000);
    load.run(3000, () => 11); // some wait, so that the rate is known
    const stopMs = load.nowMs;
    load.delay.begin(stopMs);
    const expected = load.delay.expectedMs(200, stopMs + 600);
    assert.ok(Math.abs(expected - 800) < 50, `${expected} ms are expected`);
    for (const [afterMs, isOverloaded] of [
      [600, false],
      [900, false],
      [1950, true],
    ] as const)
      assert.equal(load.delay.isOverloaded(200, stopMs + afterMs), isOverloaded, `after ${afterMs} ms`);
  });

  it('ends the overload when the wait has fallen to the half', () => {
    const load = new Load(1000);
    load.run(10_000, () => 30);
    load.run(5000, () => 0);
    const { refused } = load;
    load.run(900, () => 30);
    assert.equal(load.refused, refused);
  });

  it('counts an application that answers nothing as overloaded after a second', () => {
    const load = new Load(0);
    load.run(900, () => 1);
    assert.equal(load.refused, 0);
    load.run(5000, () => 1);
    assert.ok(load.refused > 300);
  });

  it('refuses nothing at all when no wait is too long', () => {
    const delay = new QueueDelay(0);
    delay.begin(0);
    for (let nowMs = 0; nowMs < 100_000; nowMs += 100) assert.equal(delay.isOverloaded(1_000_000, nowMs), false);
  });
});
