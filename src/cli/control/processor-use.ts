import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessorTime, processorTime } from './processor-time.ts';

/** What processes and the machine did with processors for a moment. */
export interface ProcessorUse {
  /** How many processors the machine has. */
  readonly processors: number;
  /** The busy part of all of them, from 0 to 1; null if it is not known. */
  readonly machine: number | null;
  /** By process id. A process of which nothing is known is missing. */
  readonly processes: ReadonlyMap<number, ProcessUse>;
}

/** Parts of the time of one processor: 1 is one that never rests. */
export interface ProcessUse {
  readonly used: number;
  /** How much more the process could have used if other ones had not been in its way. Above 1 for several threads. */
  readonly waited: number;
}

export const NOTHING_MEASURED: ProcessorUse = { processors: 0, machine: null, processes: new Map() };

/** Processor times at one moment. */
export interface ProcessorTimes {
  /** `performance.now()`. */
  readonly atMs: number;
  readonly processors: number;
  /** Of all processors together, since the start of the machine. */
  readonly busyMs: number;
  readonly idleMs: number;
  /** By process id. */
  readonly processes: ReadonlyMap<number, ProcessorTime>;
}

/** A process counts the time that it uses in steps of 10 ms. */
const MEASURE_MS = 250;

/** Measures for a quarter of a second. The processes must be on this machine. */
export async function measureUse(pids: readonly number[]): Promise<ProcessorUse> {
  const first = processorTimes(pids);
  await sleep(MEASURE_MS);
  return useBetween(first, processorTimes(pids));
}

export function processorTimes(pids: readonly number[]): ProcessorTimes {
  const times = cpus().map((one) => one.times);
  const sumOf = (of: (one: (typeof times)[number]) => number) => times.reduce((sum, one) => sum + of(one), 0);
  const processes = new Map<number, ProcessorTime>();
  for (const pid of pids) {
    const time = processorTime(pid);
    if (time !== null) processes.set(pid, time);
  }
  return {
    atMs: performance.now(),
    processors: times.length,
    busyMs: sumOf(({ user, nice, sys, irq }) => user + nice + sys + irq),
    idleMs: sumOf(({ idle }) => idle),
    processes,
  };
}

/** What was used between two moments. */
export function useBetween(first: ProcessorTimes, second: ProcessorTimes): ProcessorUse {
  const elapsedMs = second.atMs - first.atMs;
  const busyMs = second.busyMs - first.busyMs;
  const allMs = busyMs + second.idleMs - first.idleMs;
  const share = (afterMs: number, beforeMs: number) => Math.max(0, afterMs - beforeMs) / elapsedMs;
  const processes = new Map<number, ProcessUse>();
  for (const [pid, { usedMs, waitedMs }] of second.processes) {
    const before = first.processes.get(pid);
    if (before === undefined || elapsedMs <= 0) continue;
    processes.set(pid, { used: share(usedMs, before.usedMs), waited: share(waitedMs, before.waitedMs) });
  }
  return { processors: second.processors, machine: allMs <= 0 ? null : busyMs / allMs, processes };
}
