import { ABORT, BLOCK, COMPLETE, EARLY_HINTS, END, FAILED, FILE, HEAD } from '../../../src/workers/frames.ts';
import { fail, must } from '../failure.ts';
import { MemoryFile, type SimFile } from '../files.ts';
import { pattern } from '../pattern.ts';
import { drawPlan, type Plan } from '../plan.ts';
import type { Program } from '../process.ts';
import { fileBody, frame } from './frames.ts';
import type { Environ, LanePart } from './parts.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const REPORT: Buffer = Buffer.from('Traceback (most recent call last):\nSimulated: the application failed\n');

/** One call of the application, as in call.py. The application follows a plan instead of code. */
export class Call {
  readonly #lane: LanePart;
  readonly #id: number;
  readonly #startMs: number;
  #token = 0;
  #lines = '';

  constructor(lane: LanePart, id: number) {
    this.#lane = lane;
    this.#id = id;
    this.#startMs = lane.nowMs;
  }

  *run(environ: Environ, body: Buffer | string | null): Program {
    const { worker } = this.#lane;
    const plan = drawPlan(worker.random, worker.traits);
    this.#token = Number(String(environ.PATH_INFO).slice(1));
    const attempt = worker.requests.started(this.#token, { worker: worker.process, plan });
    this.#check(environ, body);
    this.#lines = `X-Token: ${this.#token}\r\nX-Attempt: ${attempt}\r\n`;
    if (plan.hints) yield* this.#send({ kind: EARLY_HINTS, status: 103 }, 'Link: </style.css>\r\n');
    yield plan.workMs;
    if (plan.kind === 'exit') worker.process.end(1);
    else if (plan.kind === 'fail') yield* this.#send({ kind: FAILED }, '', REPORT);
    else if (plan.kind === 'file') yield* this.#file(plan);
    else if (plan.kind === 'complete') yield* this.#complete(plan);
    else yield* this.#stream(plan);
  }

  *#complete({ length, declares }: Plan): Program {
    const content = pattern(this.#token, 0, length);
    const head = { kind: COMPLETE, status: 200, contentLength: declares ? length : -1 };
    yield* this.#lane.finish(this.#frame(head, this.#linesFor(declares, length), content));
  }

  *#stream({ length, blocks, kind, declares, workMs }: Plan): Program {
    const lines = this.#linesFor(declares, length);
    const size = Math.ceil(length / blocks);
    for (let offset = 0; offset < length || offset === 0; offset += Math.max(1, size)) {
      const block = pattern(this.#token, offset, Math.min(size, length - offset));
      if (offset === 0) {
        yield* this.#send({ kind: HEAD, status: 200, contentLength: declares ? length : -1 }, lines, block);
      } else yield* this.#send({ kind: BLOCK }, '', block);
      if (this.#lane.gone.has(this.#id)) break;
      yield workMs;
    }
    if (kind === 'abort') yield* this.#send({ kind: ABORT }, '', REPORT);
    else yield* this.#send({ kind: END });
  }

  *#file(plan: Plan): Program {
    const lane = this.#lane;
    const { worker } = lane;
    if (!worker.handsOver) {
      yield* this.#complete(plan);
      return;
    }
    const file = new MemoryFile();
    file.append(pattern(this.#token, 0, plan.length));
    const descriptor = worker.open(file);
    lane.handed.set(this.#id, descriptor);
    yield* this.#send({ kind: FILE, status: 200 }, this.#lines, fileBody(descriptor, plan.length));
  }

  #linesFor(declares: boolean, length: number): string {
    return declares ? `${this.#lines}Content-Length: ${length}\r\n` : this.#lines;
  }

  #frame(head: Omit<Parameters<typeof frame>[0], 'request' | 'ns'>, lines: string, body: Buffer): Buffer {
    const lane = this.#lane;
    lane.nowMs = lane.worker.nowMs;
    return frame({ ...head, request: this.#id, ns: (lane.nowMs - this.#startMs) * 1e6 }, lines, body);
  }

  *#send(head: Omit<Parameters<typeof frame>[0], 'request' | 'ns'>, lines = '', body: Buffer = NOTHING): Program {
    this.#lane.out.push(this.#frame(head, lines, body));
    yield* this.#lane.flush();
  }

  /** The application must get the request that the client sent, with everything that belongs to it. */
  #check(environ: Environ, body: Buffer | string | null): void {
    const { worker } = this.#lane;
    const token = this.#token;
    const entry = worker.requests.open.get(token) ?? fail(`the application got request ${token}, which nobody sent`);
    must(environ.REQUEST_METHOD === entry.method, () => `request ${token} arrived with another method`);
    must(environ.HTTP_X_CONNECTION === `${entry.connection}`, () => `request ${token} has the fields of another`);
    must(entry.length < 0 === (body === null), () => `request ${token} arrived with other content`);
    if (body === null) return;
    const expected = pattern(token, 0, entry.length);
    const arrived = typeof body === 'string' ? contentOf(worker.files.byPath.get(body)) : body;
    must(arrived.equals(expected), () => `request ${token} arrived with other content`);
  }
}

function contentOf(file: SimFile | undefined): Buffer {
  if (file === undefined) return fail('the spool file of a request is missing');
  const content = Buffer.alloc(file.size);
  file.read(content, 0);
  return content;
}
