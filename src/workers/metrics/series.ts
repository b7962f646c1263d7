import type { Description, Rule } from './description.ts';

/** The value that one process has. */
export interface ProcessValue {
  readonly pid: number;
  /** With the label `pid`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** So many processes that have ended keep their values in a gauge that shows each process. */
const ENDED_MAX = 10;

/** A value that combines those of several processes. It has none until one is added. */
export class CombinedValue {
  readonly rule: Rule;
  hasValue = false;
  value = 0;
  /** When a gauge of mode `mostrecent` was set, in seconds; 0 for never. */
  time = 0;
  processes: ProcessValue[] = [];

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** Adds the value of one process. */
  add(value: number, time: number): void {
    if (this.rule === 'sum') this.value += value;
    else if (!this.hasValue) this.value = value;
    else if (this.rule === 'min') this.value = value < this.value ? value : this.value;
    else if (this.rule === 'max') this.value = value > this.value ? value : this.value;
    else if (time > this.time) this.value = value;
    if (time > this.time) this.time = time;
    this.hasValue = this.rule !== 'recent' || this.time > 0; // a gauge that no process has set has no value
  }

  /** Takes over what another one has, without the processes with these ids. */
  reset({ hasValue, value, time, processes }: CombinedValue, without: ReadonlySet<number>): void {
    this.hasValue = hasValue;
    this.value = value;
    this.time = time;
    if (this.rule === 'each') this.processes = processes.filter(({ pid }) => !without.has(pid));
  }
}

/** A time series that processes of the application have: a metric with certain labels. */
export class Series {
  readonly group: SeriesGroup;
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly bound: number;
  readonly isLive: boolean;
  /** What processes that have ended leave. */
  readonly ended: CombinedValue;
  /** That, and what the others have. Valid during one reading. */
  readonly now: CombinedValue;

  constructor(group: SeriesGroup, { suffix, labels, bound, isLive, rule }: Description) {
    this.group = group;
    this.suffix = suffix;
    this.labels = labels;
    this.bound = bound;
    this.isLive = isLive;
    this.ended = new CombinedValue(rule);
    this.now = new CombinedValue(rule);
  }

  get rule(): Rule {
    return this.now.rule;
  }

  /** A process with this value has ended. */
  end(value: number, time: number, process: Omit<ProcessValue, 'value'>): void {
    if (this.isLive) return;
    if (this.rule !== 'each') {
      this.ended.add(value, time);
      return;
    }
    const others = this.ended.processes.filter(({ pid }) => pid !== process.pid);
    this.ended.processes = [...others, { ...process, value }].slice(-ENDED_MAX);
    this.ended.hasValue = true;
  }
}

/** The series of a histogram that differ only in `le`; anything else is a group of its own. */
export interface SeriesGroup {
  readonly family: SeriesFamily;
  /** Without `le`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Ascending by bound, then what is not a bucket. */
  readonly series: Series[];
}

/** A metric as some release of the application declares it. */
export interface SeriesFamily extends Pick<Description, 'type' | 'rule' | 'isLive'> {
  readonly name: string;
  help: string;
  readonly groups: Map<string, SeriesGroup>;
  /** The number of the newest process that has it, and of the newest one that still runs; 0 for none. */
  newest: number;
  newestRunning: number;
}
