import { Response } from '../http/response.ts';
import { ApplicationServer } from './application-server.ts';
import type { Project } from './project.ts';

const QUIET = { info() {}, warn() {}, error() {} };

/**
 * Starts one worker of the application and ends it.
 *
 * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, or `WORKER`.
 */
export async function proveApplication(project: Project, startTimeoutMs: number): Promise<void> {
  const application = new ApplicationServer({
    release: { project, workers: 1, threads: 1, preload: true, software: 'viaduct', listeners: [] },
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
