import type { VariableOptions } from './request-params.ts';

/** What the gateway protocols have in common. */
export interface GatewayOptions extends VariableOptions {
  readonly responseHeadBytesMax: number;
  readonly responseHeadCountMax: number;
  /** Connections may be kept, where the protocol knows that. */
  readonly keepsConnections: boolean;
  /** What a backend writes to its error stream, a line at a time. */
  readonly onStderr: (line: string) => void;
}
