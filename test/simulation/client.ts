import type { Handler } from '../../src/http/handler.ts';
import type { BodySource, FileBody, Peer, Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { Response } from '../../src/http/response.ts';
import { Download } from './download.ts';
import { fail, must } from './failure.ts';
import type { Machine } from './machine.ts';
import { pattern } from './pattern.ts';
import type { Attempt, Entry, Requests } from './requests.ts';
import { Upload } from './upload.ts';

const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

/** What clients do. */
export interface Habits {
  /** How often a request has content. */
  readonly uploads: number;
  readonly contentMax: number;
  /** How often a client leaves before its request is over, and how often its content breaks off. */
  readonly departures: number;
  /** How often a reader stops for a while. */
  readonly slowness: number;
  /** How often a connection repeats the fields of its last request. */
  readonly repetitions: number;
}

/** What a client needs from the simulation. */
export interface ClientWorld {
  readonly machine: Machine;
  readonly requests: Requests;
  readonly habits: Habits;
  /** Connections without a request. A connection has one request at a time. */
  readonly idle: number[];
  readonly handle: Handler;
  /** Whether a request may wait now: if it may, the server must not answer with 503. */
  readonly queueIsOpen: () => boolean;
  readonly onOver: (client: Client) => void;
}

/** A client with one request. It plays the part of the connection towards the handler. */
export class Client {
  readonly entry: Entry;
  readonly #world: ClientWorld;
  readonly #request: Request & { gone: boolean };
  readonly #upload: Upload | null;
  #download: Download | null = null;
  #over = false;

  constructor(world: ClientWorld) {
    const { machine, habits, requests } = world;
    const { random } = machine;
    const connection = world.idle.pop() ?? nextConnection();
    const uploads = random.chance(habits.uploads);
    const method = uploads ? random.pick(['POST', 'PUT', 'PATCH']) : random.pick(METHODS);
    const length = uploads ? Math.floor(random.magnitude(1, habits.contentMax)) : -1;
    this.#world = world;
    this.entry = requests.add(method, connection, length);
    this.#upload = uploads ? new Upload(machine, this.entry.token, length) : null;
    this.#request = makeRequest(this.entry, random.chance(habits.repetitions), this.#upload);
  }

  /** Sends the request. */
  start(): void {
    const { machine, handle, habits } = this.#world;
    const { random } = machine;
    if (random.chance(habits.departures)) this.#later(random.magnitude(0.01, 300), 'leaves', () => this.leave());
    if (this.#upload !== null && random.chance(habits.departures)) {
      this.#later(random.magnitude(0.01, 50), 'breaks off', () => this.#breakOff());
    }
    const result = handle(this.#request, () => fail('the pool called the next handler'));
    if (result instanceof Response) this.#respond(result);
    else
      result.then(
        (response) => this.#respond(response),
        (error) => fail(`the pool failed: ${error}`),
      );
  }

  /** The client leaves: it can no longer receive a response. */
  leave(): void {
    if (this.#over) return;
    this.entry.gone = true;
    this.#request.gone = true;
    const { onGone } = this.#request;
    this.#request.onGone = null;
    onGone?.();
    this.#upload?.breakOff();
    this.#download?.leave();
  }

  /** The connection refuses the content, answers the client itself, and closes. */
  #breakOff(): void {
    if (this.#over || this.entry.status !== 0 || this.#upload?.state === 'over') return;
    this.#upload?.breakOff();
    this.#later(1, 'leaves', () => this.leave());
  }

  #respond(response: Response): void {
    const { requests, queueIsOpen } = this.#world;
    const { entry } = this;
    requests.settled(entry, response.status, queueIsOpen());
    this.#upload?.cancel();
    const attempt = attemptOf(entry, response);
    const { body } = response;
    if (body === null || body instanceof Uint8Array) {
      if (attempt !== null) this.#check(attempt, body ?? Buffer.alloc(0));
      this.#finish();
    } else if ('fd' in body) this.#readFile(attempt, body);
    else this.#read(attempt, body);
  }

  #check(attempt: Attempt, content: Uint8Array): void {
    const { token } = this.entry;
    const expected = pattern(token, 0, attempt.plan.length);
    must(attempt.worker.lied || expected.equals(content), () => `request ${token} was answered with other content`);
  }

  #readFile(attempt: Attempt | null, body: FileBody): void {
    this.#later(this.#world.machine.delay(), 'file', () => {
      const content = Buffer.alloc(body.end - body.start);
      this.#world.machine.files.fileOf(body.fd).read(content, body.start);
      if (attempt !== null) this.#check(attempt, content);
      body.release();
      this.#finish();
    });
  }

  #read(attempt: Attempt | null, body: BodySource): void {
    const { machine, habits } = this.#world;
    const { token, gone } = this.entry;
    const from = attempt ?? fail(`request ${token} got a stream that no application sent`);
    const download = new Download(machine, token, from, body, habits.slowness, () => this.#finish());
    this.#download = download;
    if (gone) download.leave();
    else download.start();
  }

  #finish(): void {
    this.#over = true;
    if (!this.entry.gone) this.#world.idle.push(this.entry.connection);
    this.#world.requests.close(this.entry);
    this.#world.onOver(this);
  }

  #later(delayMs: number, kind: string, run: () => void): void {
    const { schedule, server } = this.#world.machine;
    schedule.after(server, delayMs, kind, run);
  }
}

/** Which start of the request the response comes from; null for the server's own responses. It must be this request's. */
function attemptOf(entry: Entry, { status, lines }: Response): Attempt | null {
  const token = /X-Token: (\d+)/.exec(lines)?.[1];
  const attempt = entry.attempts[Number(/X-Attempt: (\d+)/.exec(lines)?.[1]) - 1];
  if (status !== 200) return null;
  const liar = entry.attempts.find(({ worker }) => worker.lied);
  if (token === undefined && liar !== undefined) return liar;
  must(token === `${entry.token}`, () => `request ${entry.token} got the answer to ${token}`);
  return attempt ?? fail(`request ${entry.token} got an answer, although it was never started`);
}

let lastConnection = 0;
function nextConnection(): number {
  lastConnection += 1;
  return lastConnection;
}

function makeRequest(
  { token, method, connection }: Entry,
  repeats: boolean,
  body: Upload | null,
): Request & { gone: boolean } {
  return {
    method,
    path: `/${token}`,
    query: '',
    protocol: 'HTTP/1.1',
    headers: ['Host', 'simulated', 'X-Connection', `${connection}`],
    headersRepeat: false,
    headerCacheId: repeats ? connection : 0,
    scriptName: '',
    host: 'simulated',
    body,
    peer: PEER,
    upgrades: false,
    record: newRecord(),
    gone: false,
    onGone: null,
    sendInterim() {},
  };
}

const PEER: Peer = { remoteAddress: '127.0.0.1', remotePort: 1, listener: 0, secure: false, serverPort: '' };
