import { Response } from '../http/response.ts';
import { ApplicationServer } from './application-server.ts';
import type { ReleaseOptions } from './release.ts';

const QUIET = { info() {}, warn() {}, error() {} };

/**
 * Starts one worker of the application, with its middleware, and ends it.
 *
 * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, or `WORKER`.
 */
export async function proveApplication(
  proved: Pick<ReleaseOptions, 'project' | 'middleware'>,
  startTimeoutMs: number,
): Promise<void> {
  const application = new ApplicationServer({
    release: { ...proved, workers: 1, threads: 1, preload: true, software: 'viaduct', listeners: [] },
    pool: { queueMax: 0, laneDepthMax: 1, bodyMemoryBytesMax: 0, retryIdempotent: false },
    responseBufferBytesMax: 0,
    startTimeoutMs,
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
