import type { FromPython } from '../../../src/workers/messages.ts';
import type { Preload } from '../../../src/workers/preload.ts';
import { fail } from '../failure.ts';
import type { Files, SimFile } from '../files.ts';
import { MemoryFile } from '../files.ts';
import type { Machine } from '../machine.ts';
import type { Traits } from '../plan.ts';
import type { Program, SimProcess } from '../process.ts';
import type { Random } from '../random.ts';
import type { Requests } from '../requests.ts';
import { Channel, pack } from './channel.ts';
import { Lane } from './lane.ts';
import { loads } from './marshal.ts';
import type { WorkerPart } from './parts.ts';
import { ScoreboardFile, type Slot } from './scoreboard.ts';

/** What a zygote gets on its command line, as far as the simulation needs it. */
export interface PythonOptions {
  /** The path of the server's socket. */
  readonly socket: string;
  readonly runtime: string;
  readonly release: number;
  readonly preload: Preload;
  readonly threads: number;
}

/** What all Python processes of a simulation share. */
export interface PythonWorld {
  readonly machine: Machine;
  readonly requests: Requests;
  readonly traits: Traits;
  /** False once no more faults are injected: imports that start later succeed. */
  badImports: boolean;
  /** The workers that serve, for faults. */
  readonly workers: Set<Worker>;
}

const PROOF_DESCRIPTOR = 3;
const RETRY_MS = 50;

/** A worker process: a translation of worker.py. */
export class Worker implements WorkerPart {
  readonly process: SimProcess;
  readonly lanes: Lane[] = [];
  handsOver = false;
  readonly #world: PythonWorld;
  readonly #options: PythonOptions;
  readonly #number: number;
  #lastDescriptor = 10;
  #servingLanes = 0;

  constructor(world: PythonWorld, process: SimProcess, options: PythonOptions, number: number) {
    this.#world = world;
    this.process = process;
    this.#options = options;
    this.#number = number;
  }

  get random(): Random {
    return this.#world.machine.random;
  }

  get traits(): Traits {
    return this.#world.traits;
  }

  get requests(): Requests {
    return this.#world.requests;
  }

  get files(): Files {
    return this.#world.machine.files;
  }

  get nowMs(): number {
    return this.#world.machine.schedule.nowMs;
  }

  moment(): number {
    return 0.02 * this.random.fraction();
  }

  open(file: SimFile): number {
    this.#lastDescriptor += 1;
    this.process.descriptors.set(this.#lastDescriptor, file);
    return this.#lastDescriptor;
  }

  /** Serves until the server closes the lanes. */
  *main(): Program {
    const { process } = this;
    const { machine } = this.#world;
    const control = machine.connect(process, this.#options.socket);
    if (control === null) return process.end(1);
    const channel = new Channel(process, control);
    if (!(yield* this.#greet(channel))) return process.end(1);
    if (this.#options.preload === 'never' && !(yield* importApplication(this.#world, process, channel))) return;
    const scoreboard = new ScoreboardFile(this.#options.threads);
    const path = `${this.#options.runtime}/worker-${this.#number}.scoreboard`;
    if (!this.files.hasDirectoryOf(path)) return process.end(1);
    this.files.byPath.set(path, scoreboard);
    for (let index = 0; index < this.#options.threads; index += 1) {
      yield this.moment();
      const socket = machine.connect(process, this.#options.socket);
      if (socket === null || socket.send(pack(this.#hello(index))) < 0) return process.end(1);
      this.lanes.push(new Lane(this, socket, scoreboard.slots[index] as Slot));
    }
    this.#world.workers.add(this);
    control.onReady = process.run(this.moment(), 'control', this.#control(channel)).wake;
    for (const lane of this.lanes) lane.wakeWith(process.run(this.moment(), 'lane', this.#serve(lane)).wake);
  }

  /** Sends bytes that break the protocol, over a lane. */
  lie(lane: Lane, bytes: Buffer): void {
    this.process.lied = true;
    lane.out.push(bytes);
    this.process.run(0, 'lie', flush(lane));
  }

  *#greet(channel: Channel): Program<boolean> {
    const { process } = this;
    const { release } = this.#options;
    yield* channel.send({ kind: 'worker', release, worker: this.#number, pid: process.pid });
    const proof = yield* channel.receive();
    if (proof?.kind !== 'proof') return false;
    const file = new MemoryFile();
    file.append(Buffer.alloc(1000));
    process.descriptors.set(PROOF_DESCRIPTOR, file);
    const decoded = loads(Buffer.from(proof.data, 'base64'));
    yield* channel.send({ kind: 'proof', decoded, descriptor: PROOF_DESCRIPTOR, size: file.size });
    const go = yield* channel.receive();
    process.descriptors.delete(PROOF_DESCRIPTOR);
    this.handsOver = go?.kind === 'go' && go.hands_over;
    return go?.kind === 'go';
  }

  #hello(index: number): FromPython {
    return { kind: 'lane', release: this.#options.release, worker: this.#number, index };
  }

  *#serve(lane: Lane): Program {
    this.#servingLanes += 1;
    yield* lane.serve();
    this.#servingLanes -= 1;
    if (this.#servingLanes > 0) return;
    yield this.moment();
    this.process.end(0);
  }

  *#control(channel: Channel): Program {
    let unsent: Lane[] = [];
    for (;;) {
      const message = channel.poll();
      if (message === null) break;
      if (message === undefined) {
        if (unsent.length === 0) yield 'wait';
        else yield RETRY_MS;
        const left: Lane[] = [];
        for (const lane of unsent) if (!(yield* lane.flushNow())) left.push(lane);
        unsent = left;
      } else if (message.kind === 'recall') {
        const lane = this.#lane(message.lane);
        if (!(yield* lane.recall())) unsent.push(lane);
      } else if (message.kind === 'ping') yield* channel.send({ kind: 'alive' });
      else if (message.kind === 'gone') this.#lane(message.lane).leave(message.request);
      else if (message.kind === 'opened') this.#close(this.#lane(message.lane), message.request);
    }
    this.process.end(1);
  }

  #lane(index: number): Lane {
    return this.lanes[index] ?? fail(`the server names lane ${index}, which its worker does not have`);
  }

  #close(lane: Lane, request: number): void {
    const descriptor = lane.handed.get(request) ?? fail('the server has opened a file that it was not given');
    lane.handed.delete(request);
    this.process.descriptors.delete(descriptor);
  }
}

function* flush(lane: Lane): Program {
  yield* lane.flushNow();
}

/** Imports the application. Returns false when the process has ended. */
export function* importApplication(world: PythonWorld, process: SimProcess, channel: Channel): Program<boolean> {
  const { traits, machine } = world;
  const { random } = machine;
  yield traits.importMs * random.fraction();
  if (!world.badImports || !random.chance(traits.badImports)) return true;
  const kind = random.pick(['broken', 'hangs', 'dies'] as const);
  if (kind === 'broken')
    yield* channel.send({ kind: 'broken', traceback: 'Traceback', reason: 'simulated', exception: '' });
  while (kind === 'hangs' && !channel.socket.isLost) yield 'wait';
  process.end(kind === 'broken' ? 3 : 1);
  return false;
}
