import type { Statement } from '../import-report.ts';

/** An option as its file writes it. */
export interface WrittenOption extends Statement {
  readonly key: string;
  readonly written: string;
}

/** An option with its value. */
export interface Option extends Statement {
  /** The name with hyphens, such as `wsgi-file`. */
  readonly name: string;
  readonly value: string;
  /** What the value depends on and nobody knows here, such as a variable of the environment. */
  readonly unknown: readonly string[];
  /** Why it may not count, such as the condition of its block; '' if it counts. */
  readonly condition: string;
}

/** Whether a switch is on: `true`, `1`, `yes` and `on`. */
export function isOn(value: string): boolean {
  return /^(?:true|1|yes|on)$/i.test(value.trim());
}

/** `wsgi_file` and `wsgi-file` are the same. */
export function nameOfKey(key: string): string {
  return key.toLowerCase().replaceAll('_', '-');
}
