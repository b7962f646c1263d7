import type { Ledger } from '../import-report.ts';
import type { Directive } from './tree.ts';

/** A block with what it inherits: a directive that stands in it replaces those of the same name above it, as nginx does. */
export class Scope {
  readonly directives: readonly Directive[];
  readonly parent: Scope | null;
  readonly ledger: Ledger;

  constructor(directives: readonly Directive[], parent: Scope | null, ledger: Ledger) {
    this.directives = directives;
    this.parent = parent;
    this.ledger = ledger;
  }

  /** Directives of this block alone. */
  own(...names: readonly string[]): Directive[] {
    const found = this.directives.filter(({ name }) => names.includes(name));
    for (const directive of found) this.ledger.took(directive);
    return found;
  }

  /** Directives of this block, or else of the nearest around it that has one of the names. */
  take(...names: readonly string[]): Directive[] {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const found = scope.own(...names);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** The only directive of a name; of several the last, as where nginx would refuse them. */
  one(name: string): Directive | null {
    return this.take(name).at(-1) ?? null;
  }

  /** Whether `name` is `on` here. */
  isOn(name: string): Directive | null {
    const directive = this.one(name);
    return directive?.args[0] === 'on' ? directive : null;
  }
}
