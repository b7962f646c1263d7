/** A line of a configuration. */
export interface SourceLocation {
  /** The name of the file in messages, such as `nginx.conf`. */
  readonly file: string;
  readonly line: number;
}

/** A directive, an assignment or a key of another server's configuration. */
export interface Statement extends SourceLocation {
  /** The source text, on one line. */
  readonly text: string;
}

/** What happened to a statement that was not simply carried over. */
export type Outcome = 'dangerous' | 'closed' | 'not carried over' | 'carried over, but' | 'needs nothing';

interface Note {
  readonly statement: Statement;
  readonly outcome: Outcome;
  readonly reason: string;
}

const TEXT_LENGTH_MAX = 100;

/** Records what happened to each statement. A note is kept once, however often its statement is inherited. */
export class ImportReport {
  readonly #seen = new Set<string>();
  readonly #notes = new Map<string, Note>();

  /** The statement was carried over, or another note reports it. */
  took(statement: Statement): void {
    this.#seen.add(keyOf(statement));
  }

  note(statement: Statement, outcome: Outcome, reason: string): void {
    this.#seen.add(keyOf(statement));
    this.#notes.set(`${keyOf(statement)} ${outcome} ${reason}`, {
      statement,
      outcome,
      reason,
    });
  }

  /** The new settings are more open, or choose another host, scheme or file. A person must accept that before they are written. */
  danger(statement: Statement, reason: string): void {
    this.note(statement, 'dangerous', reason);
  }

  /** A guard could not be carried over, so nobody gets in until a person decides. */
  closed(statement: Statement, reason: string): void {
    this.note(statement, 'closed', reason);
  }

  lost(statement: Statement, reason: string): void {
    this.note(statement, 'not carried over', reason);
  }

  differs(statement: Statement, reason: string): void {
    this.note(statement, 'carried over, but', reason);
  }

  needless(statement: Statement, reason: string): void {
    this.note(statement, 'needs nothing', reason);
  }

  knows(statement: Statement): boolean {
    return this.#seen.has(keyOf(statement));
  }

  /** The names of the statements with an outcome: `nginx.conf:12`. */
  names(outcome: Outcome): string[] {
    return [...new Set(this.#of([outcome]).map(({ statement }) => formatLocation(statement)))];
  }

  /** How many statements have an outcome. */
  count(outcome: Outcome): number {
    return new Set(this.#of([outcome]).map(({ statement }) => keyOf(statement))).size;
  }

  /** `nginx.conf:12: gzip_comp_level 6: not carried over: …`, in the order of the files; with `name` only those of the line. */
  lines(outcomes: readonly Outcome[], name: string | null = null): string[] {
    const files = [...new Set([...this.#notes.values()].map(({ statement }) => statement.file))];
    const asked = this.#of(outcomes).filter(({ statement }) => name === null || formatLocation(statement) === name);
    const notes = asked.sort(
      ({ statement: a }, { statement: b }) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line,
    );
    return notes.map(
      ({ statement, outcome, reason }) =>
        `${formatLocation(statement)}: ${shortened(statement.text)}: ${outcome}: ${reason}`,
    );
  }

  #of(outcomes: readonly Outcome[]): Note[] {
    return [...this.#notes.values()].filter(({ outcome }) => outcomes.includes(outcome));
  }
}

function keyOf(statement: Statement): string {
  return `${formatLocation(statement)} ${statement.text}`;
}

/** `nginx.conf:12`. */
export function formatLocation({ file, line }: SourceLocation): string {
  return `${file}:${line}`;
}

function shortened(text: string): string {
  const plain = text.replace(/\p{C}/gu, ' ');
  return plain.length > TEXT_LENGTH_MAX ? `${plain.slice(0, TEXT_LENGTH_MAX)}…` : plain;
}
