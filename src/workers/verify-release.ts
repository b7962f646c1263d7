import { Response } from '../http/response.ts';
import { ApplicationServer } from './application-server.ts';
import type { ReleaseOptions } from './release-options.ts';

/**
 * Verifies that the application, its middleware and its hooks load: starts one worker and ends it. Resolves to what an operator
 * should know about the application.
 *
 * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, or `WORKER`.
 */
export async function verifyRelease(
  release: Pick<ReleaseOptions, 'project' | 'middleware' | 'hooks' | 'wrap' | 'preload'>,
  startTimeoutMs: number,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const application = new ApplicationServer({
    release: {
      ...release,
      ...{ workers: 1, threads: 1, runsHooks: false, software: 'viaduct', listeners: [], environVariables: [] },
      ...{ startTimeoutMs, workerTimeoutMs: 0, gracefulTimeoutMs: 0 },
    },
    pool: {
      ...{ queueMax: 0, queueDelayMs: 0, queueWaitMaxMs: 0, laneDepthMax: 1, bodyMemoryBytesMax: 0 },
      ...{ retryIdempotent: false, requestId: false, queueTime: false },
      ...{ requestTimeoutMs: 0, streamTimeoutMs: 0, requestGraceMs: 0 },
    },
    responseBufferBytesMax: 0,
    errorResponse: () => Response.text(500, ''),
    log: { info() {}, warn: (text) => void warnings.push(text), error() {} },
  });
  try {
    await application.start();
    await application.stop();
    return warnings;
  } catch (error) {
    application.destroy();
    throw error;
  }
}
