import type { Outcome, PathKind, Probe } from './outcome.ts';

/** What a disk has. */
export type Paths = ReadonlyMap<string, Exclude<PathKind, null>>;

/** A site made of imported settings that says what it would do. */
export interface AskedSite {
  /** What becomes of a request. Requests at the same time are all authorized, or none is. */
  ask(probe: Probe): Promise<Outcome>;
  /** The first file that the site looked for and did not find since this was asked last; null if it found all, or looked for none. */
  missed(): string | null;
  /** From now on, the site also finds what `disk` has. */
  fill(disk: Paths): void;
  close(): void;
}

/** Settings that were read as a server reads them. */
export interface ReadSettings {
  /** Builds the site, which finds no file. Throws if the settings have an error. */
  open(): AskedSite;
}

/** Reads a parsed `viaduct.toml`, with relative paths from `base`. Rejects if it has an error. */
export type ReadImported = (document: object, base: string) => Promise<ReadSettings>;
