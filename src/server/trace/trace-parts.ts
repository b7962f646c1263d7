import { basename } from 'node:path';
import { parseAddress } from '../../listen/address.ts';
import { describeError } from '../../log/describe-error.ts';
import type { Configuration } from '../../site/configuration.ts';
import type { SpanExport } from '../../trace/otlp-span-export.ts';
import type { TraceStore } from '../../trace/store.ts';
import { VERSION } from '../../version.ts';
import type { ServerOptions, ShownServer } from '../running-server.ts';
import type { DevPages } from './dev-pages.ts';

/** What a server process does with its traces, besides to keep them: pages in development, and the export of spans. */
export interface TraceParts {
  /** The pages of `server`; null outside of development. `current` returns the configuration that is in use. */
  openPages(server: ShownServer, current: () => Configuration): DevPages | null;
  /** Starts the export of the traces that `store` keeps. */
  start(store: TraceStore): void;
  /** Sends the last spans. */
  stop(): Promise<void>;
}

/**
 * Loads the code of these parts, which most servers do not have.
 *
 * @throws ViaductError `SETTINGS` if the packages of OpenTelemetry are missing
 */
export async function loadTraceParts(options: ServerOptions): Promise<TraceParts> {
  const { dev, devPages: clients, listen } = options.configuration.settings;
  const startExport = await prepareSpans(options);
  let spans: SpanExport | null = null;
  const start = (store: TraceStore): void => {
    spans = startExport?.(store) ?? null;
  };
  const stop = async (): Promise<void> => spans?.stop();
  if (!dev || clients === 'off') return { openPages: () => null, start, stop };
  const [{ DevPages, isDevPath }, { liveSource, loadUi }] = await Promise.all([
    import('./dev-pages.ts'),
    import('./live-source.ts'),
  ]);
  await loadUi();
  const names = listen.flatMap((text) => {
    const address = parseAddress(text);
    return address.kind === 'tcp' ? [address.host.toLowerCase()] : [];
  });
  return {
    openPages: (server, current) =>
      new DevPages({
        source: liveSource(withoutPages(options.shown ?? server, isDevPath), new Date().toISOString(), (error) =>
          options.log.error(describeError(error)),
        ),
        isOn: () => current().settings.dev,
        clients,
        names,
      }),
    start,
    stop,
  };
}

/** `server`, in whose live requests those of the pages themselves do not appear. */
function withoutPages(server: ShownServer, isPage: (path: string) => boolean): ShownServer {
  return {
    status: () => server.status(),
    metrics: () => server.metrics(),
    requests: async () => (await server.requests()).filter(({ path }) => !isPage(path)),
    traces: server.traces,
  };
}

async function prepareSpans({
  configuration,
  log,
}: ServerOptions): Promise<((store: TraceStore) => SpanExport) | null> {
  const { otlpTracesUrl: url, chdir } = configuration.settings;
  if (url === null) return null;
  const { prepareSpanExport } = await import('../../trace/otlp-span-export.ts');
  return prepareSpanExport({
    url,
    service: basename(configuration.project?.directory ?? chdir ?? process.cwd()),
    version: VERSION,
    onFailure: (reason) => log.warn(`Cannot send traces to ${url}: ${reason}. Further failures are not reported`),
    onRecovery: (dropped) =>
      log.info(`Traces are sent to ${url} again${dropped === 0 ? '' : `; ${dropped} were dropped meanwhile`}`),
  });
}
