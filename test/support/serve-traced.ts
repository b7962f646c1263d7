import { join } from 'node:path';
import type { ControlledServer } from '../../src/server/control/control-api.ts';
import { startControl } from '../../src/server/control/control-socket.ts';
import type { RunningServer } from '../../src/server/running-server.ts';
import { startServer } from '../../src/server/server.ts';
import { liveSource } from '../../src/server/trace/live-source.ts';
import { UiFiles } from '../../src/server/trace/ui-files.ts';
import { type Configuration, MAIN } from '../../src/site/configuration.ts';
import { readProgramOptions } from '../../src/site/load-configuration.ts';
import type { Lifetime } from './lifetime.ts';
import { MemoryTraces } from './memory-traces.ts';
import { makeProject } from './project.ts';
import { uiDirectory } from './serve-admin.ts';
import { documentOf } from './trace-document.ts';

export interface TracedSite {
  readonly server: RunningServer;
  readonly url: string;
  /** The path of its control socket. */
  readonly socket: string;
  readonly directory: string;
  readonly traces: MemoryTraces;
  /** What the application got: variables of its environ. */
  readonly environs: readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
}

/**
 * A server with a control socket whose application keeps a trace, the one of `documentOf`, of each request that has a token of this server.
 * `/held` is answered when the server stops.
 */
export async function serveTraced(t: Lifetime): Promise<TracedSite> {
  const loaded = await readProgramOptions({ listen: ['127.0.0.1:0'], accessLog: 'off' }, process.cwd());
  const configuration: Configuration = {
    settings: loaded.settings,
    project: null,
    site: loaded.site,
    bases: {},
    listenOrigin: '',
    applications: {},
    modules: {},
  };
  const traces = new MemoryTraces();
  const environs: Record<string, unknown>[] = [];
  const log = { info() {}, warn() {}, error() {} };
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = await startServer({
    configuration,
    log,
    accessLog: process.stdout,
    tracing: traces,
    callerApplications: new Map([
      [
        MAIN,
        async (environ, startResponse) => {
          environs.push({ ...environ });
          if (environ.PATH_INFO === '/held') await held;
          if (traces.tokens.includes(String(environ.HTTP_VIADUCT_TRACE))) keep(traces, { ...environ });
          startResponse('200 OK', [['Content-Type', 'text/plain']]);
          return [Buffer.from('the site')];
        },
      ],
    ]),
  });
  const directory = makeProject(t, {});
  const socket = join(directory, 'control.sock');
  const source = liveSource(server, new Date().toISOString(), () => {});
  const ui = uiDirectory(t);
  const control = await startControl(
    socket,
    {
      status: () => server.status(),
      requests: () => server.requests(),
      traces: { ...source, ui: () => UiFiles.load(ui) },
      identity: {
        version: '1',
        name: 'test',
        pid: process.pid,
        pid_namespace: null,
        started_at: '',
        directories: [],
        settings_file: null,
      },
      lastReload: () => null,
      beside: () => ({ sidecars: [], schedules: [] }),
    } as unknown as ControlledServer,
    log,
  );
  const stop = async (): Promise<void> => {
    release();
    source.close();
    control.close();
    await server.stop();
  };
  t.after(stop);
  return { server, url: server.urls[0] ?? '', socket, directory, traces, environs, stop };
}

function keep(traces: MemoryTraces, environ: Readonly<Record<string, unknown>>): void {
  const document = documentOf();
  const query = environ.QUERY_STRING === '' ? '' : `?${environ.QUERY_STRING}`;
  const request = {
    ...document.request,
    method: String(environ.REQUEST_METHOD),
    target: `${environ.PATH_INFO}${query}`,
  };
  const id = `traced-${traces.usage.traces + 1}`;
  traces.keep({ ...document, id, request, startedAt: new Date().toISOString() });
}
