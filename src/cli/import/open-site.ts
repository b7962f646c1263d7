import { ViaductError } from '../../errors.ts';
import type { OpenSite } from '../../import/check/asked-site.ts';
import { DiskImage } from '../../site/dry-run/disk-image.ts';
import { DryRun } from '../../site/dry-run/dry-run.ts';
import { readConfiguration } from '../../site/load-configuration.ts';
import { outcomeOf, requestFor } from './outcome-of.ts';

/** Opens the site of imported settings as a dry run. */
export const openSite: OpenSite = async (document, base, disk) => {
  const { settings, site, siteEntries } = await readConfiguration(document, base);
  if (site === null) throw new ViaductError('SETTINGS', 'Cannot check the settings: they have no route');
  const bases = Object.fromEntries([...siteEntries].map(([key, entry]) => [key, entry.base]));
  const nothingElse = { project: null, applications: {}, modules: {}, listenOrigin: '' };
  const image = new DiskImage();
  try {
    for (const [path, kind] of disk) {
      if (kind === 'file') image.addFile(path);
      else image.addDirectory(path);
    }
    const run = new DryRun({ settings, site, bases, ...nothingElse }, image);
    return {
      ask: async (probe) => outcomeOf(await run.ask(requestFor(probe))),
      close() {
        run.destroy();
        image.remove();
      },
    };
  } catch (error) {
    image.remove();
    throw error;
  }
};
