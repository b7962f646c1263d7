import { describeThrown } from '../errors.ts';
import { devBar } from '../handlers/pages/dev-bar.ts';
import { devFailures } from '../handlers/pages/dev-failure.ts';
import type { Handler } from '../http/handler.ts';
import { requestFields } from '../http/request-id.ts';
import { noteFailure } from '../http/request-record.ts';
import { describeError } from '../log/describe-error.ts';
import { programFile } from '../program-files.ts';
import { applicationOptions } from '../site/application-options.ts';
import type { BuiltSite } from '../site/build.ts';
import { type ApplicationParts, type ComposedApplications, composeApplications } from '../site/compose-applications.ts';
import { type BackendMemory, composeSite, type Reports, type SiteListeners } from '../site/compose-site.ts';
import { type Configuration, NOWHERE } from '../site/configuration.ts';
import { opensDevPages } from '../site/dev-clients.ts';
import { raisedPage } from '../site/raised-page.ts';
import { unlessAborted } from '../site/unless-aborted.ts';
import { DEV_PREFIX } from '../trace/dev-prefix.ts';
import { recordThrown } from '../trace/record-thrown.ts';

/** The frames of this program are not the project's. */
const PROGRAM = programFile('');

/** A site that is ready, with the applications in TypeScript and the middleware that it started. */
export interface StartedSite {
  readonly site: BuiltSite;
  readonly composed: ComposedApplications;
  /** Closes the applications. An error goes to the log. */
  close(): Promise<void>;
}

export interface SiteParts extends Reports, Pick<ApplicationParts, 'python' | 'callerApplications'> {
  readonly memory: BackendMemory;
  /** Lets the start fail, whatever it waits for. */
  readonly signal: AbortSignal;
}

/** Starts the site of `configuration`. Nothing of it is left running when the start fails. */
export async function startSite(
  configuration: Configuration,
  listeners: SiteListeners,
  { memory, log, signal, onRefused, ...parts }: SiteParts,
): Promise<StartedSite> {
  const server = applicationOptions(configuration, listeners.environs, log);
  const around = developmentBar(configuration, log);
  const composed = await composeApplications(configuration, { ...parts, server, around, signal });
  const close = (): Promise<void> => composed.close().catch((error: unknown) => log.error(describeError(error)));
  let site: BuiltSite | null = null;
  try {
    site = await composeSite(configuration, composed, NOWHERE, listeners, { log, onRefused }, memory);
    await unlessAborted(signal, site.start());
    return { site: withFailures(site, configuration, log), composed, close };
  } catch (error) {
    site?.destroy();
    await unlessAborted(signal, close());
    throw error;
  }
}

/** In development, what fails is shown: before all handlers, and so that of a site without applications, too. */
function withFailures(site: BuiltSite, { settings }: Configuration, log: Reports['log']): BuiltSite {
  const { dev, devPages } = settings;
  if (!dev) return site;
  const handler = devFailures({
    prefix: DEV_PREFIX,
    allow: (address) => opensDevPages(devPages, address),
    onThrown(error, request) {
      const { record } = request;
      noteFailure(record);
      if (record.trace !== null) record.trace.thrown = recordThrown(error, PROGRAM);
      log.error(describeError(error), requestFields(request));
      return raisedPage(settings, 'A handler failed', describeThrown(error), request);
    },
  });
  return { ...site, handle: (request) => handler(request, site.handle) };
}

/** For clients that can open its links; null if nobody can. */
function developmentBar({ settings: { dev, devPages } }: Configuration, log: Reports['log']): Handler | null {
  if (!dev || devPages === 'off') return null;
  return devBar({
    prefix: DEV_PREFIX,
    allow: (address) => opensDevPages(devPages, address),
    onForbidden: (message) => log.warn(message),
  });
}
