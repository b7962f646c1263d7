import type { Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import type { EnvironOptions } from './environ-builder.ts';

/** What a server gives the applications that it calls. */
export interface ApplicationOptions extends EnvironOptions {
  /** Told what the application does wrong, and what it throws. */
  readonly onError: (error: unknown, request: Request) => void;
  /** What the client gets when the application fails before its response begins. */
  readonly errorResponse: (error: unknown) => Response;
}
