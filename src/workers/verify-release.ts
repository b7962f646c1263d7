import { Response } from '../http/response.ts';
import { ApplicationServer } from './application-server.ts';
import type { ReleaseOptions } from './release.ts';

const QUIET = { info() {}, warn() {}, error() {} };

/**
 * Verifies that the application and its middleware load: starts one worker and ends it.
 *
 * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, or `WORKER`.
 */
export async function verifyRelease(
  release: Pick<ReleaseOptions, 'project' | 'middleware'>,
  startTimeoutMs: number,
): Promise<void> {
  const application = new ApplicationServer({
    release: {
      ...release,
      ...{ workers: 1, threads: 1, preload: true, software: 'viaduct', listeners: [], environVariables: [] },
      ...{ startTimeoutMs, workerTimeoutMs: 0, gracefulTimeoutMs: 0 },
    },
    pool: {
      queueMax: 0,
      queueDelayMs: 0,
      laneDepthMax: 1,
      bodyMemoryBytesMax: 0,
      retryIdempotent: false,
      requestTimeoutMs: 0,
      streamTimeoutMs: 0,
      requestGraceMs: 0,
    },
    responseBufferBytesMax: 0,
    errorResponse: () => Response.text(500, ''),
    log: QUIET,
  });
  try {
    await application.start();
    await application.stop();
  } catch (error) {
    application.destroy();
    throw error;
  }
}
