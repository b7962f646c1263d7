import { equal, match, ok, rejects } from 'node:assert/strict';
import { ViaductError } from '../../src/errors.ts';
import { discoverProject } from '../../src/project/discover.ts';
import { applicationName, type Project } from '../../src/project/project.ts';

type DiscoverTestOptions = Partial<Parameters<typeof discoverProject>[0]> & {
  readonly env?: Readonly<Record<string, string>>;
};

/** Runs discovery without the variables of this process that would influence it. */
export async function discover(chdir: string, { env = {}, ...options }: DiscoverTestOptions = {}): Promise<Project> {
  const before = process.env;
  const { VIRTUAL_ENV, CONDA_PREFIX, DJANGO_SETTINGS_MODULE, FLASK_APP: _, ...others } = before;
  process.env = { ...others, ...env };
  try {
    return await discoverProject({ target: null, chdir, python: null, dev: false, staticMounts: [], ...options });
  } finally {
    process.env = before;
  }
}

export async function name(chdir: string, options?: DiscoverTestOptions): Promise<string> {
  return applicationName((await discover(chdir, options)).application);
}

export async function fails(chdir: string, message: RegExp, options?: DiscoverTestOptions): Promise<ViaductError> {
  let caught: unknown;
  await rejects(
    () => discover(chdir, options),
    (error) => {
      caught = error;
      return error instanceof ViaductError && match(error.message, message) === undefined;
    },
  );
  equal((caught as ViaductError).exitCode, 1);
  ok((caught as ViaductError).advice !== '', 'the error has advice');
  return caught as ViaductError;
}
