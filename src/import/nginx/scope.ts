import type { ImportReport } from '../import-report.ts';
import type { Directive } from './tree.ts';

/** A block and its inherited directives. As in nginx, a directive replaces inherited directives of the same name. */
export class Scope {
  readonly directives: readonly Directive[];
  readonly parent: Scope | null;
  readonly report: ImportReport;
  readonly #names: ReadonlySet<string>;

  constructor(directives: readonly Directive[], parent: Scope | null, report: ImportReport) {
    this.directives = directives;
    this.parent = parent;
    this.report = report;
    this.#names = new Set(directives.map(({ name }) => name));
  }

  /** Directives of this block alone. */
  own(...names: readonly string[]): Directive[] {
    if (!names.some((name) => this.#names.has(name))) return [];
    const found = this.directives.filter(({ name }) => names.includes(name));
    for (const directive of found) this.report.took(directive);
    return found;
  }

  /** Directives of this block, or of the nearest enclosing block that has one of the names. */
  take(...names: readonly string[]): Directive[] {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const found = scope.own(...names);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** The directive of a name. If there are several, which nginx would refuse, the last one. */
  one(name: string): Directive | null {
    return this.take(name).at(-1) ?? null;
  }

  /** Whether `name` is `on` here. */
  isOn(name: string): Directive | null {
    const directive = this.one(name);
    return directive?.args[0] === 'on' ? directive : null;
  }
}
