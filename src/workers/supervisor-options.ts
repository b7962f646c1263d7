import type { Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import type { PoolOptions } from './pool-options.ts';
import type { ReleaseOptions } from './release-options.ts';

export interface SupervisorLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface SupervisorOptions {
  readonly release: ReleaseOptions;
  readonly pool: Omit<PoolOptions, 'directory' | 'onError' | 'onWorkerDied' | 'onOverload' | 'onOverloadEnd'>;
  readonly responseBufferBytesMax: number;
  readonly errorResponse: (traceback: string, request: Request) => Response;
  readonly log: SupervisorLog;
}
