import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { startAdmin } from '../../src/server/admin/admin-listener.ts';
import type { ServerStatus } from '../../src/server/status.ts';
import { type LiveSource, liveSource } from '../../src/server/trace/live-source.ts';
import { LocalTraces } from '../../src/server/trace/local-traces.ts';
import { UiFiles } from '../../src/server/trace/ui-files.ts';
import type { Lifetime } from './lifetime.ts';
import { MemoryTraces } from './memory-traces.ts';
import { makeProject } from './project.ts';

const STATUS: ServerStatus = { urls: ['http://127.0.0.1:8000'], certificates: [], processes: [], backends: [] };

export interface AdminServer {
  readonly port: number;
  readonly traces: MemoryTraces;
  readonly source: LiveSource;
  readonly madeToken: string | null;
  /** The requests that were sent again. */
  readonly replayed: readonly Request[];
  readonly warnings: readonly string[];
  /** Errors that reached the log. */
  readonly errors: readonly string[];
}

export interface AdminServerOptions {
  /** As in the setting `admin`. */
  readonly address?: string;
  readonly tokenFile?: string | null;
  /** What answers requests that are sent again. */
  readonly handle?: (request: Request) => Response;
}

/** A real admin listener over traces in memory, with pages of three short files. */
export async function serveAdmin(t: Lifetime, options: AdminServerOptions = {}): Promise<AdminServer> {
  const { address = '127.0.0.1:0', tokenFile = null, handle = () => Response.text(200, 'again') } = options;
  const traces = new MemoryTraces();
  const replayed: Request[] = [];
  const local = new LocalTraces(traces, {
    receive: (request) => request,
    handle: (request) => {
      replayed.push(request);
      return handle(request);
    },
    onAnswered: () => {},
  });
  const warnings: string[] = [];
  const errors: string[] = [];
  const server = { status: async () => STATUS, requests: async () => [], metrics: async () => [], traces: local };
  const live = liveSource(server, '2026-03-01T12:00:00.000Z', (error) => errors.push(String(error)));
  const ui = uiDirectory(t);
  const source = { ...live, ui: () => UiFiles.load(ui) };
  const log = { warn: (text: string) => warnings.push(text), error: (text: string) => errors.push(text), info() {} };
  const admin = await startAdmin({
    addresses: [address],
    tokenFile,
    scrape: async () => [],
    source: () => source,
    log,
  });
  t.after(() => {
    source.close();
    admin.close();
  });
  const port = Number(/:(\d+)\/$/.exec(admin.urls[0] ?? '')?.[1] ?? 0);
  return { port, traces, source, madeToken: admin.madeToken, replayed, warnings, errors };
}

/** Built pages as a build makes them: they refer to their files as `assets/…`. */
export function uiDirectory(t: Lifetime): string {
  const directory = join(makeProject(t, {}), 'ui');
  mkdirSync(directory);
  const files = {
    'index.html': `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viaduct-prefix" content=""><title>Viaduct</title>
<link rel="stylesheet" href="assets/app.css"><script src="assets/app.js" defer></script></head><body></body></html>
`,
    'app.js': 'document.title = "shown";',
    'app.css': 'body { color: red }',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}
