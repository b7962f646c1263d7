import type { Backend } from '../backend.ts';

/** Finds backends on an engine that knows them, and tells when they change. One engine, one file in this folder. */
export interface Discovery {
  /**
   * Begins to look. `found` gets all backends that there are, whenever they have changed; an engine that fails or does not answer says
   * nothing, so that those it named last go on.
   */
  start(found: (backends: readonly Backend[]) => void): void;
  /** Looks no more. Nothing is called afterwards. */
  stop(): void;
}

/** What every engine takes beside its own options. */
export interface DiscoveryOptions {
  /** Makes a backend of a numeric address and a port; how it is spoken to is the same for all of them. */
  readonly backendAt: (host: string, port: number) => Backend;
  /** Told once each time that an engine begins to fail, not for each attempt. For the log. */
  readonly onError: (message: string) => void;
}
