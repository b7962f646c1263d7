/** An exception as it was recorded, with its secrets. Python's are read by `readPythonPart`, those of JavaScript by `recordThrown`. */
export interface RecordedException extends RecordedRaise {
  /** The text that the language prints. */
  readonly traceback: string;
  /** What led to it, depth first. */
  readonly chain: readonly RecordedEarlier[];
}

export interface RecordedEarlier extends RecordedRaise {
  readonly relation: ExceptionRelation;
  /** Index in `chain` of the exception that it led to; -1 for the last one. */
  readonly of: number;
}

/** `cause`: the later exception names it. `context`: it was being handled when the later one was raised. `member`: the later one is a group, and has it. */
export type ExceptionRelation = 'cause' | 'context' | 'member';

/** One exception without those that led to it. */
export interface RecordedRaise {
  readonly type: string;
  readonly message: string;
  /** The outermost first. */
  readonly frames: readonly RecordedFrame[];
  /** How many exceptions a group has; 0 for another exception. `chain` has the first of them. */
  readonly members: number;
}

export interface RecordedFrame {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  /** The lines around `line`; the first has the number `sourceLine`. */
  readonly source: readonly string[];
  readonly sourceLine: number;
  readonly locals: readonly (readonly [name: string, value: string])[];
  readonly isProject: boolean;
  /** The columns of `line` that are meant, the second one exclusive; null for the whole line. */
  readonly columns: readonly [from: number, to: number] | null;
}
