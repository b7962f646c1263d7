import { quoted } from './describe-outcome.ts';
import type { Difference } from './difference.ts';
import type { FieldLines } from './outcome.ts';

/** The fields of responses that differ. Fields that Viaduct adds for safety do not count. */
export function fieldDifferences(before: FieldLines, now: FieldLines): Difference[] {
  const [old, present] = [joined(before), joined(now)];
  const added = [...present].flatMap(([name, { value }]) =>
    !old.has(name) && MEANS_MORE.test(name) && value !== '' ? [name] : [],
  );
  return [...old.keys(), ...added].flatMap((name): Difference[] => {
    const [was, is] = [old.get(name), present.get(name)];
    if (was?.value === null || was?.value === is?.value || (was === undefined && is?.value === 'no-cache')) return [];
    const opens = was === undefined && name.startsWith('access-control-');
    const subject = (is ?? was)?.name ?? name;
    return [
      {
        kind: opens ? 'more open' : 'another answer',
        subject,
        before: shown('answers', subject, was?.value),
        now: shown('answers', subject, is?.value),
      },
    ];
  });
}

/** Fields that let others do or keep something. */
const MEANS_MORE = /^(?:cache-control|expires|set-cookie|access-control-.*)$/;

/** `sends Host "example.org"`, `sends no Host`. */
export function shown(verb: string, name: string, value: string | null | undefined): string {
  const isThere = typeof value === 'string' && value !== '';
  if (verb === 'answers') return isThere ? `answers with ${name} ${quoted(value)}` : `answers without ${name}`;
  return isThere ? `sends ${name} ${quoted(value)}` : `sends no ${name}`;
}

interface Field {
  readonly name: string;
  /** Null if it is not known. */
  readonly value: string | null;
}

/** Fields by name in lower case, with lines of the same name joined in order (RFC 9110 section 5.3). */
export function joined(fields: FieldLines): Map<string, Field> {
  const all = new Map<string, Field>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const known = all.get(lower);
    const isKnown = value !== null && known?.value !== null;
    const whole = known === undefined || !isKnown ? value : `${known.value}, ${value}`;
    all.set(lower, { name, value: isKnown ? whole : null });
  }
  return all;
}
