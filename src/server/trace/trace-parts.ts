import { basename } from 'node:path';
import { parseAddress } from '../../listen/address.ts';
import { describeError } from '../../log/describe-error.ts';
import type { Configuration } from '../../site/configuration.ts';
import type { SpanExport } from '../../trace/otlp-span-export.ts';
import { VERSION } from '../../version.ts';
import type { RunningServer, ServerOptions } from '../running-server.ts';
import type { DevPages } from './dev-pages.ts';

/** What a server process does with its traces, besides to keep them: pages in development, and the export of spans. */
export interface TraceParts {
  /** The pages of `server`; null outside of development. `current` returns the configuration that is in use. */
  openPages(
    server: Pick<RunningServer, 'status' | 'metrics' | 'requests' | 'traces'>,
    current: () => Configuration,
  ): DevPages | null;
  /** Sends the last spans. */
  stop(): Promise<void>;
}

/**
 * Loads the code of these parts, which most servers do not have, and starts the export.
 *
 * @throws ViaductError `SETTINGS` if the packages of OpenTelemetry are missing
 */
export async function loadTraceParts(options: ServerOptions): Promise<TraceParts> {
  const { dev, devPages: clients, listen } = options.configuration.settings;
  const spans = await startSpans(options);
  const stop = async (): Promise<void> => spans?.stop();
  if (!dev || clients === 'off') return { openPages: () => null, stop };
  const [{ DevPages }, { liveSource, loadUi }] = await Promise.all([
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
        source: liveSource(server, new Date().toISOString(), (error) => options.log.error(describeError(error))),
        isOn: () => current().settings.dev,
        clients,
        names,
      }),
    stop,
  };
}

async function startSpans({ configuration, tracing, log }: ServerOptions): Promise<SpanExport | null> {
  const { otlpTracesUrl: url, chdir } = configuration.settings;
  if (url === null || tracing === undefined) return null;
  const { prepareSpanExport } = await import('../../trace/otlp-span-export.ts');
  const start = await prepareSpanExport({
    url,
    service: basename(configuration.project?.directory ?? chdir ?? process.cwd()),
    version: VERSION,
    onFailure: (reason) => log.warn(`Cannot send traces to ${url}: ${reason}. Further failures are not reported`),
    onRecovery: (dropped) =>
      log.info(`Traces are sent to ${url} again${dropped === 0 ? '' : `; ${dropped} were dropped meanwhile`}`),
  });
  return start(tracing.store);
}
