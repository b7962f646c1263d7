import { type Description, readDescription } from './description.ts';
import { Series, type SeriesFamily, type SeriesGroup } from './series.ts';

/** An application that makes more has a label with unlimited values. */
const SERIES_MAX = 131_072;
const BLOCKS_MAX = 64;

/** What a block of descriptions says. */
export interface Block {
  /** Complete lines. */
  readonly bytes: Buffer;
  readonly series: readonly Series[];
  /** The number of the first cell of each one. */
  readonly cells: readonly number[];
  /** How many lines cannot be read. */
  readonly wrong: number;
}

/**
 * All series of an application. Two processes that describe the same metric and labels get the same series. Processes that were forked from one
 * zygote start with the same descriptions, which are read once.
 */
export class SeriesTable {
  readonly families = new Map<string, SeriesFamily>();
  /** By the description, without the number of the cell. Null for a wrong one. */
  readonly #described = new Map<string, Series | null>();
  /** By their positions in files. */
  readonly #blocks = new Map<number, Block>();
  #size = 0;
  /** How many series had no room. */
  refused = 0;

  get isFull(): boolean {
    return this.#size >= SERIES_MAX;
  }

  /** Reads the complete lines at the start of `bytes`, which are at `position` of a file. The caller may use `bytes` again. */
  read(bytes: Buffer, position: number): Block {
    const known = this.#blocks.get(position);
    if (known !== undefined && bytes.subarray(0, known.bytes.length).equals(known.bytes)) return known;
    const block = this.#decode(Buffer.from(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)));
    if (block.bytes.length === 0) return block;
    if (this.#blocks.size >= BLOCKS_MAX) this.#blocks.clear();
    this.#blocks.set(position, block);
    return block;
  }

  #decode(bytes: Buffer): Block {
    const series: Series[] = [];
    const cells: number[] = [];
    let wrong = 0;
    const lines = bytes.toString('utf8').split('\n');
    lines.pop();
    for (const line of lines) {
      const tab = line.indexOf('\t');
      const cell = Number(line.slice(0, Math.max(tab, 0)));
      const found = Number.isInteger(cell) && cell > 0 ? this.#find(line.slice(tab + 1)) : null;
      if (found === null) wrong += 1;
      else if (found !== undefined) {
        series.push(found);
        cells.push(cell);
      }
    }
    return { bytes, series, cells, wrong };
  }

  /** The series of a description; null if it is wrong, undefined if there is no room. */
  #find(json: string): Series | null | undefined {
    const known = this.#described.get(json);
    if (known !== undefined) return known;
    const description = readDescription(json);
    const series = description === null ? null : this.#intern(description);
    if (series === undefined) return undefined;
    if (this.#described.size >= SERIES_MAX) this.#described.clear();
    this.#described.set(json, series);
    return series;
  }

  #intern(description: Description): Series | undefined {
    const family = this.#family(description);
    family.help = description.help;
    const { suffix, bound } = description;
    const { le: _, ...others } = description.labels;
    const labels = family.type === 'histogram' ? others : description.labels;
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    let group = family.groups.get(key);
    const known = group?.series.find((one) => one.suffix === suffix && Object.is(one.bound, bound));
    if (known !== undefined) return known;
    if (this.#size >= SERIES_MAX) {
      this.refused += 1;
      return undefined;
    }
    if (group === undefined) {
      group = { family, labels, series: [] };
      family.groups.set(key, group);
    }
    const series = new Series(group, suffix === '_bucket' ? description : { ...description, labels: group.labels });
    const behind = group.series.findIndex((one) => !(one.bound <= bound)); // NaN is behind all bounds
    group.series.splice(behind < 0 || Number.isNaN(bound) ? group.series.length : behind, 0, series);
    this.#size += 1;
    return series;
  }

  #family({ family: name, type, rule, isLive, help }: Description): SeriesFamily {
    const key = `${name} ${type} ${rule} ${isLive}`;
    let family = this.families.get(key);
    if (family === undefined) {
      family = { name, type, rule, isLive, help, groups: new Map(), newest: 0, newestRunning: 0 };
      this.families.set(key, family);
    }
    return family;
  }

  /** Forgets the series that no process has and that have no value. `inUse` are the groups of those that a process has. */
  prune(inUse: ReadonlySet<SeriesGroup>): void {
    this.#size = 0;
    for (const [key, family] of this.families) {
      for (const [labels, group] of family.groups) {
        const stays = inUse.has(group) || group.series.some(({ ended }) => ended.hasValue);
        if (stays) this.#size += group.series.length;
        else family.groups.delete(labels);
      }
      if (family.groups.size === 0) this.families.delete(key);
    }
    this.#described.clear();
    this.#blocks.clear();
  }
}
