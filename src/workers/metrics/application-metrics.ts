import { join } from 'node:path';
import type { MetricFamily, MetricSample } from '../../metrics/family.ts';
import { MetricFiles } from './metric-files.ts';
import type { Series, SeriesFamily, SeriesGroup } from './series.ts';
import { SeriesTable } from './series-table.ts';

/** A metric of the application. */
export interface ApplicationFamily extends MetricFamily {
  /** How the values of several server processes become one. */
  readonly combine: 'sum' | 'min' | 'max' | 'each';
}

/** Files of so many ended processes stay open until somebody asks for the metrics. */
const ENDED_MAX = 16;

const COMBINE = { sum: 'sum', min: 'min', max: 'max', recent: 'each', each: 'sum' } as const;

/**
 * The metrics that an application counts with `prometheus_client`, merged over its processes. What a process counted stays in the sums after its
 * end, however it ended.
 */
export class ApplicationMetrics {
  readonly #files = new Set<MetricFiles>();
  readonly #table = new SeriesTable();
  readonly #warn: (text: string) => void;
  #processes = 0;
  #reading: Promise<ApplicationFamily[]> | null = null;
  #next: Promise<ApplicationFamily[]> | null = null;
  #isClosed = false;
  #isFullTold = false;

  /** @param warn receives what an operator should know */
  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /**
   * Expects metrics of a process that starts.
   *
   * @param name start of the names of its files in `directory`
   * @param pid returns its process id; 0 while it is unknown
   */
  expect(directory: string, name: string, isZygote: boolean, pid: () => number): MetricFiles {
    this.#processes += 1;
    const files = new MetricFiles({ path: join(directory, name), number: this.#processes, isZygote, pid });
    if (!this.#isClosed) this.#files.add(files);
    return files;
  }

  /** The process of these files has ended. */
  end(files: MetricFiles): void {
    files.isEnded = true;
    if (!files.open() || this.#isClosed) this.forget(files);
    else if ([...this.#files].filter(({ isEnded }) => isEnded).length > ENDED_MAX) void this.read();
  }

  /** The process of these files runs on as if it had not counted anything. */
  forget(files: MetricFiles): void {
    this.#files.delete(files);
    files.close();
  }

  /** Reads the metrics of all processes. Those who ask during a reading share the next one. Never rejects. */
  read(): Promise<ApplicationFamily[]> {
    if (this.#reading === null) return this.#start();
    this.#next ??= this.#reading.then(() => this.#start());
    return this.#next;
  }

  close(): void {
    this.#isClosed = true;
    for (const files of this.#files) files.close();
  }

  #start(): Promise<ApplicationFamily[]> {
    this.#next = null;
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<ApplicationFamily[]> {
    if (this.#table.isFull) this.#table.prune(this.#groups());
    await Promise.all([...this.#files].map((files) => this.#refresh(files)));
    if (this.#table.refused > 0 && !this.#isFullTold) {
      this.#isFullTold = true;
      this.#warn("Some of the application's metrics are missing: they have too many different labels");
    }
    return this.#merge();
  }

  async #refresh(files: MetricFiles): Promise<void> {
    const isNew = files.wrong === 0;
    try {
      await files.refresh(this.#table);
    } catch (error) {
      if (!this.#isClosed) this.#warn(`Cannot read the metrics of process ${files.pid}: ${(error as Error).message}`);
    }
    if (isNew && files.wrong > 0) this.#warn(`Some metrics of process ${files.pid} are damaged and not reported`);
  }

  #groups(): Set<SeriesGroup> {
    const groups = new Set<SeriesGroup>();
    for (const { series } of this.#files) for (const { group } of series) groups.add(group);
    return groups;
  }

  #merge(): ApplicationFamily[] {
    for (const files of this.#files) if (files.isComplete) this.#fold(files);
    const families = [...this.#table.families.values()];
    const pids = new Set([...this.#files].map(({ pid }) => pid));
    for (const family of families) {
      family.newestRunning = 0;
      for (const { series } of family.groups.values()) for (const { now, ended } of series) now.reset(ended, pids);
    }
    for (const files of this.#files) {
      for (const family of files.families) {
        family.newest = Math.max(family.newest, files.number);
        family.newestRunning = Math.max(family.newestRunning, files.number);
      }
      files.each((series, value, time) => {
        if (series.rule === 'each') series.now.processes.push({ ...files.processOf(series), value });
        else series.now.add(value, time);
      });
    }
    return newestOf(families)
      .map(familyOf)
      .filter(({ samples }) => samples.length > 0);
  }

  /** Adds what a process that has ended leaves. */
  #fold(files: MetricFiles): void {
    for (const family of files.families) family.newest = Math.max(family.newest, files.number);
    files.each((series, value, time) => {
      series.end(value, time, series.rule === 'each' ? files.processOf(series) : NO_PROCESS);
    });
    this.forget(files);
  }
}

const NO_PROCESS = { pid: 0, labels: {} };

/** By name. If releases declare a metric in different ways, that of the newest running process counts. */
function newestOf(families: readonly SeriesFamily[]): SeriesFamily[] {
  const newest = new Map<string, SeriesFamily>();
  for (const family of families) {
    const other = newest.get(family.name);
    const order = other === undefined ? 1 : family.newestRunning - other.newestRunning || family.newest - other.newest;
    if (order > 0) newest.set(family.name, family);
  }
  return [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function familyOf({ name, type, help, rule, groups }: SeriesFamily): ApplicationFamily {
  const samples: MetricSample[] = [];
  for (const group of groups.values()) {
    if (type === 'histogram') addHistogram(group, samples);
    else for (const series of group.series) addSeries(series, samples);
  }
  return { name, type, help, unit: '', combine: COMBINE[rule], samples };
}

function addSeries({ suffix, labels, now, rule }: Series, samples: MetricSample[]): void {
  if (rule === 'each') for (const { labels, value } of now.processes) samples.push({ suffix, labels, value });
  else if (now.hasValue) samples.push({ suffix, labels, value: now.value });
}

/** Buckets count what is in the ones before, too. With a negative bound there is no sum (OpenMetrics 1.0, "Histogram"). */
function addHistogram({ labels, series }: SeriesGroup, samples: MetricSample[]): void {
  let count = 0;
  let hasSum = true;
  for (const { suffix, bound, labels: own, now } of series) {
    if (!now.hasValue) continue;
    if (suffix === '_bucket') {
      count += now.value;
      if (bound < 0) hasSum = false;
      samples.push({ suffix, labels: own, value: count });
    } else {
      samples.push({ suffix: '_count', labels, value: count });
      if (hasSum) samples.push({ suffix, labels, value: now.value });
    }
  }
}
