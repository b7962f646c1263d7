import type { Field, Hop } from '../../src/trace/document.ts';

export type Change = 'added' | 'removed' | 'changed' | 'same';

export interface FieldChange {
  readonly name: string;
  readonly change: Change;
  /** All values of this name, in order; empty without it. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Compares the fields of two messages by name, without regard to case. */
export function compareFields(before: readonly Field[], after: readonly Field[]): readonly FieldChange[] {
  const old = byName(before);
  const fresh = byName(after);
  return [...new Set([...old.keys(), ...fresh.keys()])].map((key) => {
    const was = old.get(key);
    const is = fresh.get(key);
    return {
      name: (is ?? was)?.name ?? key,
      change: changeOf(was?.values, is?.values),
      before: was?.values ?? [],
      after: is?.values ?? [],
    };
  });
}

function changeOf(was: readonly string[] | undefined, is: readonly string[] | undefined): Change {
  if (was === undefined) return 'added';
  if (is === undefined) return 'removed';
  return was.length === is.length && was.every((value, index) => value === is[index]) ? 'same' : 'changed';
}

function byName(fields: readonly Field[]): Map<string, { name: string; values: string[] }> {
  const map = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of fields) {
    const entry = map.get(name.toLowerCase());
    if (entry === undefined) map.set(name.toLowerCase(), { name, values: [value] });
    else entry.values.push(value);
  }
  return map;
}

/** What one hop did to the message. */
export interface HopChanges {
  /** Index in the hops. */
  readonly index: number;
  readonly hop: Hop;
  /** Compared with the hop before in the same direction; empty for the first one. */
  readonly changes: readonly FieldChange[];
  readonly isFirst: boolean;
  /** The status before, if this hop changed it; ''. */
  readonly statusBefore: string;
}

/** Each hop with what it changed. */
export function changesByHop(hops: readonly Hop[]): readonly HopChanges[] {
  const last: Partial<Record<Hop['direction'], Hop>> = {};
  return hops.map((hop, index) => {
    const before = last[hop.direction];
    last[hop.direction] = hop;
    const changes = before === undefined ? [] : compareFields(before.headers, hop.headers);
    const statusBefore = before !== undefined && codeOf(before) !== codeOf(hop) ? before.status : '';
    return {
      index,
      hop,
      changes: changes.filter(({ change }) => change !== 'same'),
      isFirst: before === undefined,
      statusBefore,
    };
  });
}

/** An application gives a reason phrase, and the server only the number. */
function codeOf({ status }: Hop): string {
  return status.slice(0, 3);
}
