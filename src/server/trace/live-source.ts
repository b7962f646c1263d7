import { programFile } from '../../program-files.ts';
import { VERSION } from '../../version.ts';
import type { ShownServer } from '../running-server.ts';
import { LiveEvents } from './live-events.ts';
import { OverviewMaker } from './overview-maker.ts';
import type { TraceApiSource } from './trace-api.ts';
import { UiFiles } from './ui-files.ts';

/** What pages and API show of a running server. */
export interface LiveSource extends TraceApiSource {
  /** Ends the streams of events. */
  close(): void;
}

/** `startedAt` is ISO 8601. `onError` gets what fails while pages are open. */
export function liveSource(server: ShownServer, startedAt: string, onError: (error: unknown) => void): LiveSource {
  const { traces } = server;
  const maker = new OverviewMaker({
    version: VERSION,
    startedAt,
    status: () => server.status(),
    metrics: () => server.metrics(),
    traces,
  });
  const overview = () => maker.make();
  const events = new LiveEvents({ overview, since: (cursor, limit) => traces.since(cursor, limit), onError });
  return { traces, overview, live: () => server.requests(), events, ui: loadUi, close: () => events.close() };
}

let loaded: Promise<UiFiles | null> | null = null;

/** The pages of this build; null without them. They are read once. */
export function loadUi(): Promise<UiFiles | null> {
  loaded ??= UiFiles.load(programFile('ui'));
  return loaded;
}
