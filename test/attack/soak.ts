import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CgiProtocol } from '../../src/listen/address.ts';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { openRequest, type ProtocolName } from '../support/http-client.ts';
import { SocketClient } from '../support/socket-client.ts';
import { within } from '../support/wait.ts';
import type { Fault } from './faults.ts';
import type { Target } from './target.ts';

const CLIENTS = 12;
/** Longest wait for an answer, in a storm of faults. */
const ANSWER_MS = 60_000;
/** Time between two faults, and longest duration of one. */
const CALM_MS = 1500;
const FAULT_MS = 4000;
/** Content above this size goes to a file. */
const LARGE = 400_000;
const SMALL = 2000;
const DOORS = ['HTTP/1.1', 'HTTP/2', 'HTTP/1.1', 'uwsgi', 'fastcgi', 'scgi'] as const;
/** Answers that a server may give while something is wrong. */
const ERRORS = new Set([0, 500, 502, 503, 504]);
const FINAL_REQUESTS = 100;
/** So many requests exceed their deadline. */
const LATE_SHARE = 0.002;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What happened in a soak. */
export interface SoakFigures {
  readonly requests: number;
  /** How many requests got each status. 0: the connection ended without an answer. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly faults: ReadonlyMap<string, number>;
}

/**
 * Sends requests over all protocols for `ms`, while faults happen one after another. Throws if an answer is not the one of its request, if
 * the application started a request twice, if a client waits in vain, or if requests fail when the faults are over.
 */
export async function soak(
  target: Target,
  faults: readonly Fault[],
  random: () => number,
  ms: number,
): Promise<SoakFigures> {
  const run = new Soak(target, random);
  const end = performance.now() + ms;
  await Promise.all([...Array.from({ length: CLIENTS }, () => run.client(end)), run.inject(faults, end)]);
  await run.assertCalm();
  return run;
}

class Soak implements SoakFigures {
  readonly statuses = new Map<number, number>();
  readonly faults = new Map<string, number>();
  requests = 0;
  readonly #target: Target;
  readonly #random: () => number;
  /** The same for all requests of this soak, and different from those of others. */
  readonly #name: string;

  constructor(target: Target, random: () => number) {
    this.#target = target;
    this.#random = random;
    this.#name = `soak${Math.floor(random() * 1e9)}`;
  }

  async client(end: number): Promise<void> {
    while (performance.now() < end) {
      const status = await this.#request();
      count(this.statuses, status);
      assert.ok(status === 200 || ERRORS.has(status), `an answer has the status ${status}`);
      // A server without descriptors or workers answers at once. A client that then asks again and again only measures this.
      if (status !== 200) await delay(20);
    }
  }

  async inject(faults: readonly Fault[], end: number): Promise<void> {
    while (performance.now() + CALM_MS + FAULT_MS < end) {
      await delay(CALM_MS * this.#random());
      const fault = faults[Math.floor(this.#random() * faults.length)] as Fault;
      const undo = fault.inject(this.#target, this.#random);
      count(this.faults, fault.name);
      if (undo === null) continue;
      await delay(FAULT_MS * this.#random());
      undo();
    }
  }

  /** Throws unless ordinary requests get ordinary answers, and none of the requests before started twice. */
  async assertCalm(): Promise<void> {
    await this.#target.settle();
    for (let index = 0; index < FINAL_REQUESTS; index += 1) assert.equal(await this.#request(false), 200);
    for (const [token, starts] of this.#target.starts()) {
      if (token.startsWith(this.#name)) assert.equal(starts, 1, `${token} started ${starts} times`);
    }
  }

  /**
   * Sends one request and compares the answer. Returns its status, 0 without an answer. A request that may be late can be one that exceeds
   * its deadline, and is then never answered with 200.
   */
  async #request(mayBeLate = true): Promise<number> {
    const token = `${this.#name}-${this.requests}`;
    this.requests += 1;
    const door = DOORS[Math.floor(this.#random() * DOORS.length)] as (typeof DOORS)[number];
    const largest = door.startsWith('HTTP') && this.#random() < 0.2 ? LARGE : SMALL;
    const length = this.#random() < 0.7 ? 0 : Math.floor(this.#random() * largest);
    const isLate = mayBeLate && this.#random() < LATE_SHARE;
    const late = `/late/${token}/${this.#random() < 0.7 ? 'computes' : 'waits'}`;
    const path = isLate ? late : `/token/${token}/${Math.floor(this.#random() * 20)}`;
    const { status, text } = await within(ANSWER_MS, `the answer to ${token}`, () => this.#send(door, path, length));
    if (status === 200) assert.equal(text, isLate ? '' : `${token} ${length}`, `${path} was answered`);
    return status;
  }

  async #send(door: (typeof DOORS)[number], path: string, length: number): Promise<Answer> {
    try {
      if (door === 'HTTP/1.1' || door === 'HTTP/2') return await this.#overHttp(door, path, length);
      return await this.#overCgi(door, path, length);
    } catch {
      return { status: 0, text: '' };
    }
  }

  async #overHttp(protocol: ProtocolName, path: string, length: number): Promise<Answer> {
    const { port } = this.#target.viaduct;
    const headers = length === 0 ? {} : { 'content-length': `${length}` };
    const request = openRequest(protocol, port, length === 0 ? 'GET' : 'POST', path, headers);
    request.upload.end('x'.repeat(length));
    // A connection that ends before an answer, without an error, reports only its end.
    const ended = once(request.upload, 'close').then(() => delay(100, null));
    const answer = await Promise.race([request.answer(), ended]);
    if (answer === null) return { status: 0, text: '' };
    const blocks: Buffer[] = [];
    for await (const block of answer.body) blocks.push(block as Buffer);
    request.abandon();
    return { status: answer.status, text: Buffer.concat(blocks).toString('latin1') };
  }

  async #overCgi(protocol: CgiProtocol, path: string, length: number): Promise<Answer> {
    const client = await SocketClient.open(this.#target.door(protocol));
    const method = length === 0 ? 'GET' : 'POST';
    const changes = { REQUEST_METHOD: method, CONTENT_LENGTH: `${length}`, REQUEST_URI: path, PATH_INFO: path };
    client.send(encodeRequest(protocol, variablesOf(changes), 'x'.repeat(length)));
    await client.closed;
    const status = Number(/(?:Status:|HTTP\/1\.1) (\d{3})/.exec(client.received)?.[1] ?? 0);
    return { status, text: /soak\d+-\d+ \d+/.exec(client.received)?.[0] ?? '' };
  }
}

function count<T>(counts: Map<T, number>, key: T): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
