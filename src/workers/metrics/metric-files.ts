import { close, closeSync, constants, existsSync, fstat, fstatSync, openSync, read, rmSync } from 'node:fs';
import type { ProcessValue, Series, SeriesFamily } from './series.ts';
import type { SeriesTable } from './series-table.ts';

/** The limits of `shared_values.py`. */
const CELLS_MIN = 512;
const CELLS_MAX = 65_536;
const SERIES_BYTES_MAX = 16_777_216;
/** Twice the longest line. */
const BLOCK_BYTES = 131_072;
/** The bits of the cell of a series that the application has removed. */
const REMOVED = 0x7ff8_5649_4144_5543n;
/** Without O_NONBLOCK, opening a pipe would wait for its other end; and the process has no reason to make a link. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

export interface MetricFilesOptions {
  /** Without the endings of the two files. */
  readonly path: string;
  /** Later processes have higher numbers. */
  readonly number: number;
  /** Whether other processes have taken over the gauges of this one. */
  readonly isZygote: boolean;
  readonly pid: () => number;
}

/**
 * The two files in which a process shares the values of its metrics; `shared_values.py` writes them. They may appear late, or never. They are
 * removed from their directory when they are opened, so nothing is left behind, and a cleanup of temporary files does no harm.
 */
export class MetricFiles {
  readonly number: number;
  readonly isZygote: boolean;
  readonly series: Series[] = [];
  readonly families = new Set<SeriesFamily>();
  /** Whether the process has ended. */
  isEnded = false;
  /** Whether everything was read that the process had written until its end. */
  isComplete = false;
  /** How many lines cannot be read. */
  wrong = 0;
  readonly #path: string;
  readonly #pid: () => number;
  /** The first cell of each of `series`. */
  readonly #cells: number[] = [];
  readonly #labels = new Map<Series, ProcessValue['labels']>();
  #descriptors: readonly [series: number, values: number] | null = null;
  #isReading = false;
  #isClosed = false;
  #position = 0;
  #values = new Float64Array(0);

  constructor({ path, number, isZygote, pid }: MetricFilesOptions) {
    this.#path = path;
    this.number = number;
    this.isZygote = isZygote;
    this.#pid = pid;
  }

  /** Process id; 0 while it is unknown. */
  get pid(): number {
    return this.#pid();
  }

  /** Opens the files if they are there. Returns whether they are open. */
  open(): boolean {
    if (this.#descriptors !== null || this.#isClosed) return this.#descriptors !== null;
    const series = openFile(`${this.#path}.series`); // it is made after the other one
    const values = series === null ? null : openFile(`${this.#path}.values`);
    if (series !== null && values !== null) this.#descriptors = [series, values];
    else for (const fd of [series, values]) if (fd !== null) closeSync(fd);
    return this.#descriptors !== null;
  }

  /** Reads what has changed. Rejects with an error of the system. */
  async refresh(table: SeriesTable): Promise<void> {
    const { isEnded } = this;
    if (!this.open()) return;
    const [series, values] = this.#descriptors as readonly [number, number];
    this.#isReading = true;
    try {
      await this.#readSeries(series, table);
      await this.#readValues(values);
    } finally {
      this.#isReading = false;
      this.isComplete = isEnded;
      if (this.#isClosed) this.close();
    }
  }

  /** Calls `use` for each value that the process has, with the time at which it was set; 0 if that is unknown. */
  each(use: (series: Series, value: number, time: number) => void): void {
    const values = this.#values;
    const bits = new BigUint64Array(values.buffer);
    for (let index = 0; index < this.series.length; index += 1) {
      const series = this.series[index] as Series;
      if (this.isZygote && series.group.family.type === 'gauge') continue;
      const cell = this.#cells[index] as number;
      const value = values[cell] as number;
      if (Number.isNaN(value) && bits[cell] === REMOVED) continue;
      use(series, value, series.rule === 'recent' ? (values[cell + 1] as number) : 0);
    }
  }

  /** The process, with the labels of one of its series that stays apart from those of other processes. They are the same object each time. */
  processOf(series: Series): Omit<ProcessValue, 'value'> {
    let labels = this.#labels.get(series);
    if (labels === undefined) {
      labels = { ...series.labels, pid: `${this.pid}` };
      this.#labels.set(series, labels);
    }
    return { pid: this.pid, labels };
  }

  /** Closes the files, when a reading that runs is over. */
  close(): void {
    this.#isClosed = true;
    if (this.#isReading) return; // another file could get the number of the descriptor
    for (const fd of this.#descriptors ?? []) close(fd);
    this.#descriptors = null;
    for (const path of filesAt(this.#path)) removeFile(path);
  }

  async #readSeries(fd: number, table: SeriesTable): Promise<void> {
    const size = Math.min(await sizeOf(fd), SERIES_BYTES_MAX);
    while (this.#position < size) {
      const block = Buffer.allocUnsafe(Math.min(size - this.#position, BLOCK_BYTES));
      const length = await readAt(fd, block, 0, this.#position);
      const { bytes, series, cells, wrong } = table.read(block.subarray(0, length), this.#position);
      this.wrong += wrong;
      for (let index = 0; index < series.length; index += 1) this.#add(series[index] as Series, cells[index] as number);
      this.#position += bytes.length;
      if (bytes.length > 0) continue;
      if (length === BLOCK_BYTES) this.#giveUp();
      return; // the end of a line is still to come
    }
  }

  /** There is no end of the line: nothing behind it can be read. */
  #giveUp(): void {
    this.wrong += 1;
    this.#position = SERIES_BYTES_MAX;
  }

  #add(series: Series, cell: number): void {
    if (cell > CELLS_MAX - 2 || this.series.length >= CELLS_MAX) {
      this.wrong += 1;
      return;
    }
    this.series.push(series);
    this.#cells.push(cell);
    this.families.add(series.group.family);
    if (cell + 2 <= this.#values.length) return;
    const values = new Float64Array(Math.max(2 * this.#values.length, cell + 2, CELLS_MIN));
    values.set(this.#values);
    this.#values = values;
  }

  async #readValues(fd: number): Promise<void> {
    const bytes = new Uint8Array(this.#values.buffer);
    for (let at = 0; at < bytes.length; ) {
      const length = await readAt(fd, bytes, at, at);
      if (length === 0) return;
      at += length;
    }
  }
}

function filesAt(path: string): readonly [string, string] {
  return [`${path}.series`, `${path}.values`];
}

/** Opens a regular file and removes it from its directory. Returns null without one. */
function openFile(path: string): number | null {
  if (!existsSync(path)) return null; // an exception for each process would take long
  try {
    const fd = openSync(path, OPEN_FLAGS);
    removeFile(path);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch {
    // it is gone, or something else
  }
  return null;
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // it goes with its directory
  }
}

function sizeOf(fd: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fstat(fd, (error, stats) => (error === null ? resolve(stats.size) : reject(error)));
  });
}

/** Reads what is at `position` of a file to the end of `into`, from `offset` on. Resolves to the number of bytes; 0 at the end of the file. */
function readAt(fd: number, into: Uint8Array, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = into.length - offset;
    read(fd, into, offset, length, position, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
}
