import type { Disk, Outcome, Probe } from './outcome.ts';

/** A site made of imported settings that says what it would do. */
export interface AskedSite {
  /** What becomes of a request. Requests at the same time are all authorized, or none is. */
  ask(probe: Probe): Promise<Outcome>;
  /** The name of the route that answered the last request; '' for none. */
  route(): string;
  /** The files that the site looked for, one after another, and did not find since this was asked last. */
  missed(): readonly string[];
  /** From now on, the site finds what `disk` has. Before, it finds nothing. */
  fill(disk: Disk): void;
  close(): void;
}

/** Settings that were read as a server reads them. */
export interface ReadSettings {
  /** Builds the site, which finds no file. Throws if the settings have an error. */
  open(): AskedSite;
}

/** Reads a parsed `viaduct.toml`, with relative paths from `base`. Rejects if it has an error. */
export type ReadImported = (document: object, base: string) => Promise<ReadSettings>;
