import type { Field, Hop } from '../../trace/document.ts';

/** A field that is other after a hop than before it. */
export interface HeaderChange {
  readonly direction: Hop['direction'];
  /** What changed it. */
  readonly hop: string;
  /** `+`: it is new, `-`: it is gone, `~`: its value is another one. */
  readonly sign: '+' | '-' | '~';
  readonly name: string;
  /** The new value; of a field that is gone, the old one; of one that changed, both: `a → b`. */
  readonly value: string;
}

/** What each hop changed, compared with the one before in the same direction. The first hop of a direction changes nothing. */
export function headerChanges(hops: readonly Hop[]): HeaderChange[] {
  const last = new Map<Hop['direction'], Hop>();
  return hops.flatMap((hop) => {
    const before = last.get(hop.direction);
    last.set(hop.direction, hop);
    return before === undefined ? [] : changesBetween(before, hop);
  });
}

function changesBetween(before: Hop, { direction, name: hop, headers }: Hop): HeaderChange[] {
  const old = byName(before.headers);
  const now = byName(headers);
  const changes: HeaderChange[] = [];
  for (const [key, { name, value }] of now) {
    const was = old.get(key);
    if (was === undefined) changes.push({ direction, hop, sign: '+', name, value });
    else if (was.value !== value) changes.push({ direction, hop, sign: '~', name, value: `${was.value} → ${value}` });
  }
  for (const [key, { name, value }] of old) if (!now.has(key)) changes.push({ direction, hop, sign: '-', name, value });
  return changes;
}

/** A name that is there several times has all its values. */
function byName(fields: readonly Field[]): Map<string, { readonly name: string; readonly value: string }> {
  const found = new Map<string, { readonly name: string; readonly value: string }>();
  for (const [name, value] of fields) {
    const before = found.get(name.toLowerCase());
    found.set(name.toLowerCase(), { name, value: before === undefined ? value : `${before.value}, ${value}` });
  }
  return found;
}
