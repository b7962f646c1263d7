import type { SourceLocation } from './import-report.ts';

/** The values of TOML that are used here. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

/** A value and its source in the other configuration. A value without a source has the reason in `because`. */
export interface Entry {
  readonly value: Value;
  readonly from: readonly SourceLocation[];
  readonly because: string;
}

/** A table of the new settings file. */
export class ConfigBuilder {
  readonly values = new Map<string, Entry>();
  readonly tables = new Map<string, ConfigBuilder>();
  readonly lists = new Map<string, ConfigBuilder[]>();
  /** Comment lines above the table. */
  readonly remarks: string[] = [];

  set(key: string, value: Value, ...from: readonly SourceLocation[]): void {
    this.values.set(key, { value, from, because: '' });
  }

  /** Sets a default of the other server that differs from Viaduct's. A value that is already set stays. */
  assume(key: string, value: Value, because: string): void {
    if (!this.values.has(key)) this.values.set(key, { value, from: [], because });
  }

  /** Adds a value to an array unless the array contains it. */
  push(key: string, value: Value, ...from: readonly SourceLocation[]): void {
    const before = this.values.get(key);
    const items = Array.isArray(before?.value) ? (before.value as readonly Value[]) : [];
    const isThere = items.some((item) => JSON.stringify(item) === JSON.stringify(value));
    const places = [...(before?.from ?? []), ...from];
    this.values.set(key, { value: isThere ? items : [...items, value], from: places, because: '' });
  }

  get(key: string): Value | undefined {
    return this.values.get(key)?.value;
  }

  table(key: string): ConfigBuilder {
    const table = this.tables.get(key) ?? new ConfigBuilder();
    this.tables.set(key, table);
    return table;
  }

  /** Adds a table to an array of tables. */
  append(key: string, table = new ConfigBuilder()): ConfigBuilder {
    const list = this.lists.get(key);
    if (list === undefined) this.lists.set(key, [table]);
    else list.push(table);
    return table;
  }

  get isEmpty(): boolean {
    return this.values.size === 0 && this.lists.size === 0 && [...this.tables.values()].every((table) => table.isEmpty);
  }

  /** The table as plain data, without sources. */
  plain(): Record<string, unknown> {
    return {
      ...Object.fromEntries([...this.values].map(([key, { value }]) => [key, value])),
      ...Object.fromEntries([...this.tables].filter(([, one]) => !one.isEmpty).map(([key, one]) => [key, one.plain()])),
      ...Object.fromEntries([...this.lists].map(([key, all]) => [key, all.map((one) => one.plain())])),
    };
  }
}
