import type { Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import type { EnvironBuilderOptions } from './environ-builder.ts';

/** What a server provides for the applications that it calls. */
export interface ApplicationOptions extends EnvironBuilderOptions {
  /** Whether each environ has the id of its request as `viaduct.request_id`. False when absent. */
  readonly requestId?: boolean;
  /** Called for each violation of the contract, and for what the application throws. */
  readonly onError: (error: unknown, request: Request) => void;
  /** Called for each violation of the contract that the server corrects. */
  readonly onNotice: (text: string, request: Request) => void;
  /** The response for a client whose application fails before its response starts. */
  readonly errorResponse: (error: unknown, request: Request) => Response;
}
