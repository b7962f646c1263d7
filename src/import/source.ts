/** The input of the three readers. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly shown: string;
  readonly show: (path: string) => string;
  readonly pathOf: (written: string) => string;
  /** The directory of the new settings file. */
  readonly output: string;
}
