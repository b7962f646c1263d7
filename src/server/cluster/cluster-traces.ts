import type { TraceDocument } from '../../trace/document.ts';
import type { ErrorGroup, TraceFilter, TraceSummary, TraceUsage } from '../../trace/store.ts';
import type { TraceDetails } from '../../trace/trace.ts';
import type { TraceAnswer, TraceQuestion } from '../trace/trace-questions.ts';
import type { KeptTraces, ReplayOutcome, TraceCursor, Traces } from '../trace/traces.ts';
import { askAll } from './ask-processes.ts';
import type { ServerProcess } from './server-process.ts';

/** The newest traces of a group of errors that are named. */
const GROUP_TRACES_MAX = 20;

/** The traces of all server processes as those of one server. Each process keeps its own; one that does not answer in time is left out. */
export class ClusterTraces implements Traces {
  readonly #serverProcesses: () => readonly ServerProcess[];

  constructor(serverProcesses: () => readonly ServerProcess[]) {
    this.#serverProcesses = serverProcesses;
  }

  async list(filter: TraceFilter): Promise<readonly TraceSummary[]> {
    return newestFirst(await this.#ask({ method: 'list', filter })).slice(0, filter.limit);
  }

  async find(id: string): Promise<TraceDocument | null> {
    return firstOf(await this.#ask({ method: 'find', id }));
  }

  /** That of the process that had the request: others do not know when it was. */
  async lastGood(id: string): Promise<TraceDocument | null> {
    return firstOf(await this.#ask({ method: 'lastGood', id }));
  }

  async errors(): Promise<readonly ErrorGroup[]> {
    const groups = new Map<string, ErrorGroup>();
    for (const group of (await this.#ask({ method: 'errors' })).flat()) {
      const before = groups.get(group.cause);
      groups.set(group.cause, before === undefined ? group : merged(before, group));
    }
    return [...groups.values()].toSorted((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
  }

  async usage(): Promise<TraceUsage> {
    const all = await this.#ask({ method: 'usage' });
    const sum = (partOf: (usage: TraceUsage) => number): number => all.reduce((total, one) => total + partOf(one), 0);
    return {
      traces: sum(({ traces }) => traces),
      bytes: sum(({ bytes }) => bytes),
      bytesMax: sum(({ bytesMax }) => bytesMax),
      evicted: sum(({ evicted }) => evicted),
    };
  }

  /** By the process that has the trace. The others answer that they do not know it. */
  async replay(id: string, confirmed: boolean): Promise<ReplayOutcome> {
    const outcomes = await this.#ask({ method: 'replay', id, confirmed });
    return outcomes.find(({ kind }) => kind !== 'unknown') ?? { kind: 'unknown' };
  }

  async acceptToken(token: string, details: TraceDetails): Promise<null> {
    await this.#ask({ method: 'acceptToken', token, details });
    return null;
  }

  async since(cursor: TraceCursor | null, limit: number): Promise<KeptTraces> {
    const kept = await this.#ask({ method: 'since', cursor, limit });
    const cursors = kept.map((one) => one.cursor);
    return {
      traces: newestFirst(kept.map(({ traces }) => traces)).slice(0, limit),
      cursor: Object.assign({}, cursor, ...cursors) as TraceCursor,
    };
  }

  #ask<Q extends TraceQuestion>(question: Q): Promise<TraceAnswer<Q>[]> {
    return askEach(this.#serverProcesses(), question);
  }
}

async function askEach<Q extends TraceQuestion>(
  serverProcesses: readonly ServerProcess[],
  question: Q,
): Promise<TraceAnswer<Q>[]> {
  const answers = await askAll(serverProcesses, { about: 'traces', question });
  return answers.map((answer) => JSON.parse(answer) as TraceAnswer<Q>);
}

function firstOf<T>(answers: readonly (T | null)[]): T | null {
  return answers.find((answer) => answer !== null) ?? null;
}

function newestFirst(lists: readonly (readonly TraceSummary[])[]): TraceSummary[] {
  return lists.flat().toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0));
}

function merged(a: ErrorGroup, b: ErrorGroup): ErrorGroup {
  const [newer, older] = a.lastAt < b.lastAt ? [b, a] : [a, b];
  return {
    cause: a.cause,
    error: newer.error,
    request: newer.request,
    count: a.count + b.count,
    firstAt: a.firstAt < b.firstAt ? a.firstAt : b.firstAt,
    lastAt: newer.lastAt,
    routes: [...new Set([...newer.routes, ...older.routes])],
    traces: [...newer.traces, ...older.traces].slice(0, GROUP_TRACES_MAX),
    traceback: newer.traceback || older.traceback,
  };
}
