/** What the readers of the three kinds get. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly shown: string;
  readonly show: (path: string) => string;
  readonly pathOf: (written: string) => string;
  /** Where the settings file is to stand. */
  readonly output: string;
}
