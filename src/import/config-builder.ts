import type { Place } from './import-report.ts';

/** What TOML has, as far as it is needed here. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

/** A value, and where in the other configuration it comes from; `because` stands there instead for what nobody wrote. */
export interface Entry {
  readonly value: Value;
  readonly from: readonly Place[];
  readonly because: string;
}

/** A table of the settings file that is being made. */
export class Draft {
  readonly values = new Map<string, Entry>();
  readonly tables = new Map<string, Draft>();
  readonly lists = new Map<string, Draft[]>();
  /** Lines above the table. */
  readonly remarks: string[] = [];

  set(key: string, value: Value, ...from: readonly Place[]): void {
    this.values.set(key, { value, from, because: '' });
  }

  /** A default of the other server that is not Viaduct's. */
  assume(key: string, value: Value, because: string): void {
    if (!this.values.has(key)) this.values.set(key, { value, from: [], because });
  }

  /** Adds to an array; what is there already stays once. */
  push(key: string, value: Value, ...from: readonly Place[]): void {
    const before = this.values.get(key);
    const items = Array.isArray(before?.value) ? (before.value as readonly Value[]) : [];
    const isThere = items.some((item) => JSON.stringify(item) === JSON.stringify(value));
    const places = [...(before?.from ?? []), ...from];
    this.values.set(key, { value: isThere ? items : [...items, value], from: places, because: '' });
  }

  get(key: string): Value | undefined {
    return this.values.get(key)?.value;
  }

  table(key: string): Draft {
    const table = this.tables.get(key) ?? new Draft();
    this.tables.set(key, table);
    return table;
  }

  /** Adds a table to an array of tables. */
  append(key: string, table = new Draft()): Draft {
    this.lists.set(key, [...(this.lists.get(key) ?? []), table]);
    return table;
  }

  get isEmpty(): boolean {
    return this.values.size === 0 && this.lists.size === 0 && [...this.tables.values()].every((table) => table.isEmpty);
  }

  /** The same without origins. */
  plain(): Record<string, unknown> {
    return {
      ...Object.fromEntries([...this.values].map(([key, { value }]) => [key, value])),
      ...Object.fromEntries([...this.tables].filter(([, one]) => !one.isEmpty).map(([key, one]) => [key, one.plain()])),
      ...Object.fromEntries([...this.lists].map(([key, all]) => [key, all.map((one) => one.plain())])),
    };
  }
}
