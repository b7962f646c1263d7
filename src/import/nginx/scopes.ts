import type { ImportReport, Statement } from '../import-report.ts';
import type { Level, Model } from './model/model.ts';
import { Scope } from './scope.ts';
import type { Directive } from './tree.ts';

/** Finds the directives of the levels of a model, as the configuration has them. The model has copies of them whose texts are bytes. */
export function scopesOf(
  model: Model,
  http: Scope,
  servers: readonly Directive[],
  report: ImportReport,
): (level: Level) => Scope {
  const scopes = new Map<Statement, Scope>();
  const add = (copy: Directive, original: Directive, around: Scope): void => {
    const scope = new Scope(original.block ?? [], around, report);
    scopes.set(copy, scope);
    for (const [index, inner] of (copy.block ?? []).entries()) {
      const own = original.block?.[index];
      if (own !== undefined && inner.block !== null) add(inner, own, scope);
    }
  };
  for (const [index, { statement }] of model.servers.entries()) {
    const original = servers[index];
    if (original !== undefined) add(statement as Directive, original, http);
  }
  return ({ statement }) => scopes.get(statement) ?? http;
}
