import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { discoverProject } from '../app/discover/discover.ts';
import type { Project } from '../app/project.ts';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import type { Arguments } from './arguments.ts';

export interface Prepared extends LoadedSettings {
  readonly project: Project;
}

/**
 * Loads the settings, then finds the project.
 *
 * @throws ViaductError as `loadSettings` and `discoverProject` do.
 */
export function prepare({ target, configFile, flags }: Arguments): Prepared {
  const cwd = process.cwd();
  const chdir = flags.find(({ name }) => name === 'chdir')?.raw ?? process.env.VIADUCT_CHDIR ?? cwd;
  const loaded = loadSettings({
    flags,
    environment: process.env,
    directory: directoryOf(target, resolve(cwd, String(chdir))),
    configFile: configFile === null ? null : resolve(cwd, configFile),
    cwd,
  });
  const { settings } = loaded;
  const staticMounts = settings.static.map((mount) => {
    const [urlPrefix, directory] = mount.split(/=(.*)/s) as [string, string];
    return { urlPrefix, directories: [directory] };
  });
  const project = discoverProject({
    target,
    chdir: settings.chdir ?? cwd,
    python: settings.python,
    dev: settings.dev,
    staticMounts,
  });
  return { ...loaded, project };
}

/** Where settings files are looked for: in the project that was named, else where the program was started. */
function directoryOf(target: string | null, chdir: string): string {
  if (target === null) return chdir;
  const path = resolve(chdir, target);
  if (!existsSync(path)) return chdir;
  return statSync(path).isDirectory() ? path : dirname(path);
}
