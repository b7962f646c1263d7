import type { Files, SimFile } from '../files.ts';
import type { Traits } from '../plan.ts';
import type { Program, SimProcess } from '../process.ts';
import type { Random } from '../random.ts';
import type { Requests } from '../requests.ts';

/** What lanes and calls need from their worker. */
export interface WorkerPart {
  readonly process: SimProcess;
  readonly random: Random;
  readonly traits: Traits;
  readonly requests: Requests;
  readonly files: Files;
  readonly nowMs: number;
  /** Whether the server can open files of this process. */
  readonly handsOver: boolean;
  /** A moment in which another thread may run, in milliseconds. */
  moment(): number;
  /** Returns the descriptor of an open file. */
  open(file: SimFile): number;
}

/** What a call needs from its lane. */
export interface LanePart {
  readonly worker: WorkerPart;
  /** Finished frames that have not left. */
  readonly out: Buffer[];
  /** Requests whose clients have left. */
  readonly gone: ReadonlySet<number>;
  /** When the lane last looked at the clock. */
  nowMs: number;
  /** Requests whose files the server will open, with the descriptors. */
  readonly handed: Map<number, number>;
  finish(response: Buffer): Program;
  flush(): Program;
}

/** The variables of a request, or those that its connection repeats. */
export type Environ = Readonly<Record<string, unknown>>;
