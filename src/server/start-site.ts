import { devBar } from '../handlers/pages/dev-bar.ts';
import type { Handler } from '../http/handler.ts';
import { describeError } from '../log/describe-error.ts';
import { applicationOptions } from '../site/application-options.ts';
import type { BuiltSite } from '../site/build.ts';
import { type ApplicationParts, type ComposedApplications, composeApplications } from '../site/compose-applications.ts';
import { type BackendMemory, composeSite, type Reports, type SiteListeners } from '../site/compose-site.ts';
import { type Configuration, NOWHERE } from '../site/configuration.ts';
import { opensDevPages } from '../site/dev-clients.ts';
import { unlessAborted } from '../site/unless-aborted.ts';
import { DEV_PREFIX } from '../trace/dev-prefix.ts';

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
    return { site, composed, close };
  } catch (error) {
    site?.destroy();
    await unlessAborted(signal, close());
    throw error;
  }
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
