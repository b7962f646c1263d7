/** To the keeper. keeper.py says what it does with each message. */
export type ToKeeper =
  | {
      readonly kind: 'start';
      readonly program: number;
      readonly command: readonly string[];
      readonly directory: string;
      readonly environment: Readonly<Record<string, string | undefined>>;
      readonly stop_signal: number;
      readonly grace_ms: number;
    }
  | { readonly kind: 'stop'; readonly program: number }
  | { readonly kind: 'kill-all' };

/** From the keeper, about the program with this number. */
export type FromKeeper = { readonly program: number } & (
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'output'; readonly text: string }
  /** Its grace is over, and its process group is killed. */
  | { readonly kind: 'overdue' }
  /** An exit code, or the negative number of the signal that ended it. */
  | { readonly kind: 'ended'; readonly code: number }
);

/** A message of the keeper; null for anything else. */
export function parseMessage(line: string): FromKeeper | null {
  let value: Readonly<Record<string, unknown>> | null;
  try {
    value = JSON.parse(line) as Readonly<Record<string, unknown>> | null;
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !Number.isSafeInteger(value.program)) return null;
  const isKnown =
    (value.kind === 'started' && Number.isSafeInteger(value.pid) && (value.pid as number) > 1) ||
    (value.kind === 'failed' && typeof value.reason === 'string') ||
    (value.kind === 'output' && typeof value.text === 'string') ||
    value.kind === 'overdue' ||
    (value.kind === 'ended' && Number.isSafeInteger(value.code));
  return isKnown ? (value as unknown as FromKeeper) : null;
}
