import assert from 'node:assert/strict';
import { defaultSettings } from '../../src/config/settings.ts';
import { ViaductError } from '../../src/errors.ts';
import type { Next } from '../../src/http/handler.ts';
import { Response } from '../../src/http/response.ts';
import { toPromise } from '../../src/http/to-promise.ts';
import type { Project } from '../../src/project/project.ts';
import type { Agreement, ReloadStep } from '../../src/server/agreement.ts';
import { CurrentSite } from '../../src/server/current-site.ts';
import type { Applications } from '../../src/site/applications.ts';
import { type Configuration, MAIN } from '../../src/site/configuration.ts';
import type { Opening } from '../../src/site/listeners.ts';
import { parseSite } from '../../src/site/schema/site.ts';
import type { TrialReport } from '../../src/workers/application-server.ts';
import { Outcomes } from '../../src/workers/outcomes.ts';
import type { Application } from '../../src/wsgi/contract.ts';
import { requestOf } from './handler.ts';

export const GRACE_MS = 30_000;

const PROJECT = { application: { module: 'shop', callable: 'app', name: '' }, staticMounts: [] } as unknown as Project;

export function configurationOf(keys: object = {}, changes: Partial<Configuration> = {}): Configuration {
  const { data } = parseSite(keys);
  assert.ok(data !== undefined);
  return {
    settings: { ...defaultSettings(), gracefulTimeoutMs: GRACE_MS },
    ...{ project: PROJECT, site: data, bases: {}, listenOrigin: '', applications: {}, modules: {} },
    ...changes,
  };
}

/** The Python applications on paper: each `prepare` makes another version of the one that there is. */
function applicationsOnPaper() {
  const calls: string[] = [];
  const trial = { before: new Outcomes(), after: new Outcomes(), crashes: 0, traceback: '', isAlone: false };
  const state = {
    calls,
    trial: trial as TrialReport,
    /** What the import waits for. */
    imported: Promise.resolve() as Promise<void>,
    /** How the last version answers probes. */
    probe: (() => Response.text(200, 'well')) as Next,
    isLost: false,
  };
  let version = 0;
  const applications = {
    async prepare(table: ReadonlyMap<string, unknown>): Promise<void> {
      calls.push(`prepare ${[...table.keys()]}`);
      await state.imported;
      version += 1;
    },
    handleOf(): Next {
      const own = `version ${version}`;
      return (request) => (request.path === '/healthz' ? state.probe(request) : Response.text(200, own));
    },
    trials: new Map([
      [
        MAIN,
        {
          get trial() {
            return state.trial;
          },
          trialFailure: null,
        },
      ],
    ]),
    tryOut: () => void calls.push('try out'),
    commit(names: Iterable<string>) {
      if (state.isLost) throw new ViaductError('WORKER', 'it ended while others started');
      calls.push(`commit ${[...names]}`);
    },
    abandon: ({ message }: Error) => void calls.push(`abandon: ${message}`),
    retire: (names: ReadonlySet<string>, graceMs: number) => void calls.push(`retire all but ${[...names]} ${graceMs}`),
  };
  return { state, applications: applications as unknown as Applications };
}

/** A current site without a server around it, whose Python applications exist only on paper. */
export function openSite(callerApplications: Readonly<Record<string, Application>> = {}, probesAtStart = true) {
  const { state, applications } = applicationsOnPaper();
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  const options = {
    configuration: configurationOf(),
    log: { info: add, warn: add, error: add },
    accessLog: process.stdout,
    callerApplications: new Map(Object.entries(callerApplications)),
    probesAtStart,
  };
  const site = new CurrentSite(options, applications, {
    onRefused: () => assert.fail('no request is refused'),
    onStarted: () => void state.calls.push('started'),
    onServing: () => void state.calls.push('serving'),
  });
  const opening: Opening = {
    ...{ environs: [{ SERVER_NAME: 'a', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' }], addresses: ['a:80'] },
    commit: () => assert.fail('the server does this'),
    abandon: () => assert.fail('the server does this'),
  };
  const reached: ReloadStep[] = [];
  const alone: Agreement = { seed: 1, reached: async (step) => void reached.push(step) };
  return {
    site,
    state,
    lines,
    reached,
    alone,
    /** Starts a switch. */
    switchTo: (configuration = configurationOf(), agreement = alone, signal = new AbortController().signal) =>
      site.switchTo(configuration, opening, agreement, signal),
    /** Status and text that a client gets. */
    async ask(address = '192.0.2.1', path = '/'): Promise<string> {
      const { status, body } = await toPromise(site.handle(requestOf({ path, peer: { remoteAddress: address } })));
      return `${status} ${Buffer.from(body as Uint8Array)}`;
    },
  };
}

/** The same, which serves version 1. */
export async function serveSite(applications: Readonly<Record<string, Application>> = {}) {
  const parts = openSite(applications);
  await parts.switchTo();
  parts.state.calls.length = 0;
  parts.reached.length = 0;
  parts.lines.length = 0;
  return parts;
}
