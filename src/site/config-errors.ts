import type { SourceLocation } from '../config/site-entries.ts';
import { ViaductError } from '../errors.ts';

/** Collects the errors of a site while it is built, so that all are reported at once, each with its location. */
export class ConfigErrors {
  readonly lines: string[] = [];
  readonly #advice = new Set<string>();
  readonly #locate: SourceLocation;

  constructor(locate: SourceLocation) {
    this.#locate = locate;
  }

  /** Adds an error of the key that `keys` lead to. */
  add(keys: readonly PropertyKey[], problem: string): void {
    this.lines.push(`Cannot use ${this.#locate.describe(keys)}: ${problem}`);
  }

  /** Returns the result of `make`. If `make` throws a ViaductError, adds it to the errors and returns null. */
  attempt<T>(keys: readonly PropertyKey[], make: () => T): T | null {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ViaductError)) throw error;
      this.add(keys, error.message);
      if (error.advice !== '') this.#advice.add(error.advice);
      return null;
    }
  }

  /** @throws ViaductError `SETTINGS` with all errors, if there are any */
  throwIfAny(): void {
    if (this.lines.length === 0) return;
    throw new ViaductError('SETTINGS', this.lines.join('\n'), { advice: [...this.#advice].join('\n') });
  }
}
