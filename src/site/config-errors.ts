import { keyName, type Place } from '../config/site/keys.ts';
import { ViaductError } from '../errors.ts';

/** Collects what is wrong with a site while it is built, so that all of it is told at once, each with its place. */
export class Mistakes {
  readonly lines: string[] = [];
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  add(keys: readonly string[], wrong: string): void {
    this.lines.push(`Cannot use ${keyName(keys)} (${this.#place(keys)}): ${wrong}`);
  }

  /** What `make` makes, or null when it throws a ViaductError, which is then among the mistakes. */
  attempt<T>(keys: readonly string[], make: () => T): T | null {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ViaductError)) throw error;
      this.add(keys, error.message);
      return null;
    }
  }

  /** @throws ViaductError `SETTINGS` when there is a mistake. */
  throwIfAny(): void {
    if (this.lines.length > 0) throw new ViaductError('SETTINGS', this.lines.join('\n'));
  }
}
