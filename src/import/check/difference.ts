/** What a difference means, the most dangerous first. Only `another answer` is harmless by itself. */
export const DIFFERENCE_KINDS = [
  'more open',
  'another file',
  'another backend',
  'another scheme or host',
  'another answer',
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** How the outcome of a probe changes. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** The field that differs; '' if it is the whole outcome. */
  readonly subject: string;
  /** What happened before, and what happens now: `answers 403`, `passes /x on to http://127.0.0.1:8000`. */
  readonly before: string;
  readonly now: string;
}
