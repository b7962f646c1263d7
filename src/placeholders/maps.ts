import { ViaductError } from '../errors.ts';
import { compileMap, type MapOptions, textsOf } from './map-table.ts';
import type { Placeholder } from './placeholder.ts';
import { Placeholders } from './placeholders.ts';
import { namesIn } from './template.ts';

/**
 * The placeholders with these maps. Use them for handlers, as in `headers(options, placeholders(maps))`.
 *
 * @throws ViaductError `SETTINGS` for a placeholder that does not exist, an invalid pattern, and maps that need each other
 */
export function placeholders(maps: Readonly<Record<string, MapOptions>>): Placeholders {
  return new Placeholders(new MapCompiler(maps).all());
}

/** Compiles maps in the order in which they need each other. */
class MapCompiler {
  readonly #options: Readonly<Record<string, MapOptions>>;
  readonly #compiled = new Map<string, Placeholder>();
  /** The maps that wait for the one that is compiled. */
  readonly #waiting: string[] = [];

  constructor(options: Readonly<Record<string, MapOptions>>) {
    this.#options = options;
  }

  all(): ReadonlyMap<string, Placeholder> {
    for (const name of Object.keys(this.#options)) this.#compile(name);
    return this.#compiled;
  }

  #compile(name: string): void {
    if (this.#compiled.has(name)) return;
    if (this.#waiting.includes(name)) {
      const circle = [...this.#waiting.slice(this.#waiting.indexOf(name)), name].map((map) => `map.${map}`);
      throw new ViaductError('SETTINGS', `Cannot use map.${name}: it needs itself: ${circle.join(' → ')}`, {
        advice: 'Remove one of these placeholders.',
      });
    }
    this.#waiting.push(name);
    const options = this.#options[name] as MapOptions;
    for (const needed of textsOf(options).flatMap(namesIn)) {
      const map = needed.replace(/^map\./, '');
      if (map !== needed && Object.hasOwn(this.#options, map)) this.#compile(map);
    }
    this.#waiting.pop();
    this.#compiled.set(name, compileMap(name, options, new Placeholders(this.#compiled)));
  }
}
