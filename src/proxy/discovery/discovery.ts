import type { Backend } from '../backend.ts';

/** Service discovery: finds backends and reports changes. Each kind of source has its own file in this folder. */
export interface Discovery {
  /**
   * Starts to look for backends. `onBackends` receives the complete list whenever it has changed. When a source fails
   * or does not answer, `onBackends` is not called, so the last known backends stay in use.
   */
  start(onBackends: (backends: readonly Backend[]) => void): void;
  /** Stops looking. No callback is called afterwards. */
  stop(): void;
}

/** Options that all kinds of sources share. */
export interface DiscoveryOptions {
  /** Creates a backend from a numeric address and a port. All backends of a source share the other properties. */
  readonly backendAt: (host: string, port: number) => Backend;
  /** Receives a message for the log, once when a source starts to fail and not for each attempt. */
  readonly onError: (message: string) => void;
}
