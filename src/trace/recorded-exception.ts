/** An exception as it was recorded, with its secrets. Python's are read by `readPythonPart`, those of JavaScript by `recordThrown`. */
export interface RecordedException extends RecordedRaise {
  /** The text that the language prints. */
  readonly traceback: string;
  /** What led to it, the last one first. */
  readonly chain: readonly (RecordedRaise & { readonly relation: ExceptionRelation })[];
}

/** `cause`: the later exception names it. `context`: it was being handled when the later one was raised. */
export type ExceptionRelation = 'cause' | 'context';

/** One exception without those that led to it. */
export interface RecordedRaise {
  readonly type: string;
  readonly message: string;
  /** The outermost first. */
  readonly frames: readonly RecordedFrame[];
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
}
