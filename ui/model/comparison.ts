import type { Span, TraceDocument } from '../../src/trace/document.ts';
import { endOf } from './tree.ts';

/** A span of one request or of both. */
export interface SpanPair {
  readonly kind: Span['kind'];
  readonly name: string;
  readonly level: number;
  /** Microseconds in all spans of this kind and name within the same parent; null without one. */
  readonly leftUs: number | null;
  readonly rightUs: number | null;
  readonly leftCount: number;
  readonly rightCount: number;
}

export interface QueryPair {
  readonly sql: string;
  readonly leftCount: number;
  readonly rightCount: number;
  readonly leftUs: number;
  readonly rightUs: number;
}

interface Group {
  readonly kind: Span['kind'];
  readonly name: string;
  readonly level: number;
  us: number;
  count: number;
}

/** Matches spans by kind and name along their parents; those with the same path count together. In the order of the left one. */
export function pairSpans(left: TraceDocument, right: TraceDocument): readonly SpanPair[] {
  const before = groups(left);
  const after = groups(right);
  const keys = [...before.keys()];
  for (const key of after.keys()) if (!before.has(key)) insert(keys, key, [...after.keys()]);
  return keys.map((key) => {
    const a = before.get(key);
    const b = after.get(key);
    const { kind, name, level } = (a ?? b) as Group;
    return {
      kind,
      name,
      level,
      leftUs: a?.us ?? null,
      rightUs: b?.us ?? null,
      leftCount: a?.count ?? 0,
      rightCount: b?.count ?? 0,
    };
  });
}

/** Puts what only the right one has after what is before it there. */
function insert(keys: string[], key: string, order: readonly string[]): void {
  const before = order[order.indexOf(key) - 1];
  keys.splice(before === undefined ? 0 : keys.indexOf(before) + 1, 0, key);
}

function groups(document: TraceDocument): Map<string, Group> {
  const end = endOf(document);
  const paths: string[] = [];
  const levels: number[] = [];
  const found = new Map<string, Group>();
  for (const [index, span] of document.spans.entries()) {
    const isWithin = span.parent >= 0 && span.parent < index;
    const path = `${isWithin ? paths[span.parent] : ''}\n${span.kind} ${span.name}`;
    const level = isWithin ? (levels[span.parent] as number) + 1 : 1;
    paths.push(path);
    levels.push(level);
    const us = (span.endUs ?? end) - span.startUs;
    const group = found.get(path);
    if (group === undefined) found.set(path, { kind: span.kind, name: span.name, level, us, count: 1 });
    else {
      group.us += us;
      group.count += 1;
    }
  }
  return found;
}

/** The texts of queries in both, those whose number or time differs most first. */
export function pairQueries(left: TraceDocument, right: TraceDocument): readonly QueryPair[] {
  const pairs = new Map<string, { leftCount: number; rightCount: number; leftUs: number; rightUs: number }>();
  for (const [side, { spans }] of [['left', left] as const, ['right', right] as const]) {
    for (const span of spans) {
      if (span.kind !== 'query') continue;
      const sql = String(span.attributes.sql ?? span.name);
      const pair = pairs.get(sql) ?? { leftCount: 0, rightCount: 0, leftUs: 0, rightUs: 0 };
      pair[`${side}Count`] += 1;
      pair[`${side}Us`] += (span.endUs ?? span.startUs) - span.startUs;
      pairs.set(sql, pair);
    }
  }
  const weight = ({ leftUs, rightUs }: QueryPair): number => Math.abs(rightUs - leftUs);
  return [...pairs].map(([sql, pair]) => ({ sql, ...pair })).sort((a, b) => weight(b) - weight(a));
}
