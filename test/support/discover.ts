import { equal, match, ok, rejects } from 'node:assert/strict';
import { ViaductError } from '../../src/errors.ts';
import { discoverProject } from '../../src/project/discover.ts';
import { applicationName, type Project } from '../../src/project/project.ts';

type DiscoverTestOptions = Partial<Parameters<typeof discoverProject>[0]> & {
  readonly env?: Readonly<Record<string, string>>;
};

/** Runs discovery without the variables of this process that would influence it. */
export async function discover(chdir: string, { env = {}, ...options }: DiscoverTestOptions = {}): Promise<Project> {
  // Node 26 starts programs with the variables of the process, not with an object that took the place of process.env
  const before = { ...process.env };
  for (const name of ['VIRTUAL_ENV', 'CONDA_PREFIX', 'DJANGO_SETTINGS_MODULE', 'FLASK_APP']) delete process.env[name];
  Object.assign(process.env, env);
  try {
    return await discoverProject({ target: null, chdir, python: null, dev: false, staticMounts: [], ...options });
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
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
