import type { RequestParamOptions } from './request-params.ts';

/** Options that all CGI protocols share. */
export interface CgiOptions extends RequestParamOptions {
  readonly responseHeadBytesMax: number;
  readonly responseHeadCountMax: number;
  /** Whether connections may be kept, where the protocol supports it. */
  readonly keepsConnections: boolean;
  /** Called for each line that a backend writes to its error stream. */
  readonly onStderr: (line: string) => void;
}
