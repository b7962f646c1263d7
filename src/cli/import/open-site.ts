import { ViaductError } from '../../errors.ts';
import type { AskedSite, ReadImported } from '../../import/check/asked-site.ts';
import type { Configuration } from '../../site/configuration.ts';
import { DiskImage } from '../../site/dry-run/disk-image.ts';
import { DryRun } from '../../site/dry-run/dry-run.ts';
import { readConfiguration } from '../../site/load-configuration.ts';
import type { Site } from '../../site/schema/site.ts';
import { outcomeOf, requestFor } from './outcome-of.ts';

/** Reads imported settings, and opens their site as a dry run. */
export const readImported: ReadImported = async (document, base) => {
  const { settings, site, siteEntries } = await readConfiguration(document, base);
  const bases = Object.fromEntries([...siteEntries].map(([key, entry]) => [key, entry.base]));
  const nothingElse = { project: null, applications: {}, modules: {}, listenOrigin: '' };
  return {
    open() {
      if (site === null) throw new ViaductError('SETTINGS', 'Cannot check the settings: they have no route');
      return openSite({ settings, site, bases, ...nothingElse });
    },
  };
};

function openSite(configuration: Configuration & { readonly site: Site }): AskedSite {
  const image = new DiskImage();
  const run = new DryRun(configuration, image);
  let route = '';
  return {
    fill: (disk) => image.fill(disk),
    missed: () => image.missed(),
    route: () => route,
    async ask(probe) {
      const answer = await run.ask(requestFor(probe));
      route = answer?.route ?? '';
      return outcomeOf(answer);
    },
    close: () => run.destroy(),
  };
}
