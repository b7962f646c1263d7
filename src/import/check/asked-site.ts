import type { Outcome, PathKind, Probe } from './outcome.ts';

/** A site made of imported settings that says what it would do. */
export interface AskedSite {
  /** What becomes of a request. Await each outcome before the next probe. */
  ask(probe: Probe): Promise<Outcome>;
  close(): void;
}

/**
 * Builds the site of a parsed `viaduct.toml`, as a server would, with relative paths from `base`. It finds what `disk` has, and nothing else.
 * Rejects if the settings have an error.
 */
export type OpenSite = (
  document: object,
  base: string,
  disk: ReadonlyMap<string, Exclude<PathKind, null>>,
) => Promise<AskedSite>;
