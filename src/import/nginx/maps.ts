import type { NginxContext } from './context.ts';
import { expressionOf } from './expression.ts';
import { textOf } from './model/bytes.ts';
import type { VariableMap } from './model/model.ts';
import { fill } from './placeholders.ts';
import type { Directive } from './tree.ts';

/** Carries over the maps that routes use: those whose source and texts have counterparts. */
export function writeMaps({ builder, report, model }: NginxContext): void {
  const names = new Set([...model.variables].flatMap(([name, { kind }]) => (kind === 'map' ? [name] : [])));
  for (const [name, source] of model.variables) {
    if (source.kind !== 'map') continue;
    const directive = source.map.statement as Directive;
    const problem = writeMap(source.map, directive, name);
    if (problem !== null) report.lost(directive, problem);
    else report.took(directive);
  }

  /** Returns why the map has no counterpart, or null. */
  function writeMap(map: VariableMap, directive: Directive, name: string): string | null {
    const filled = [map.source, ...map.exact.values(), ...map.patterns.map(({ value }) => value), map.otherwise].map(
      (one) => fill(one, { maps: names, groups: ['', '', '', '', '', '', '', '', ''], isCompared: one === map.source }),
    );
    for (const one of filled) if ('unknown' in one) return `${one.unknown} has no counterpart`;
    const texts = filled.map((one) => ('text' in one ? one.text : ''));
    const expressions = map.patterns.map(({ pattern }) =>
      expressionOf(pattern.source, pattern.regex?.ignoreCase === true),
    );
    for (const one of expressions) if ('wrong' in one) return one.wrong;
    if (map.hostnames) return 'a map of hosts is written by hand: see map.NAME.hosts';
    const table = builder.table('map').table(name);
    table.set('source', texts[0] ?? '', directive);
    const values = [...map.exact.keys()].map((key, index): [string, string] => [textOf(key), texts[index + 1] ?? '']);
    if (values.length > 0) table.set('values', Object.fromEntries(values), directive);
    const patterns = expressions.map((one, index) => ({
      pattern: 'source' in one ? one.source : '',
      value: texts[map.exact.size + 1 + index] ?? '',
    }));
    if (patterns.length > 0) table.set('pattern', patterns, directive);
    const otherwise = texts.at(-1) ?? '';
    if (otherwise !== '') table.set('default', otherwise, directive);
    return null;
  }
}
