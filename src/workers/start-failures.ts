import { existsSync } from 'node:fs';
import { ViaductError } from '../errors.ts';
import { applicationName } from '../project/project.ts';
import { BrokenImport } from '../trace/broken-import.ts';
import { readPythonException } from '../trace/python-part.ts';
import type { RecordedException } from '../trace/recorded-exception.ts';
import type { ImportFailure } from './messages.ts';
import type { Release } from './release.ts';
import type { Worker } from './worker.ts';

/** Why a release that was not ready in time is ended. */
export function timedOut({ options, workers }: Release): ViaductError {
  const hooks = workers.size === 0 ? [] : (options.hooks?.after_fork ?? []);
  const what = hooks.length === 0 ? 'its import' : `its import or its hook after_fork ${hooks.join(', ')}`;
  return new ViaductError(
    'WORKER',
    `Cannot start the application: it was not ready after ${options.startTimeoutMs / 1000} s, and ${what} had not ended`,
    { advice: 'If it needs longer, raise start_timeout_ms.' },
  );
}

const ONE_PROCESS =
  'The import locks a file, so only one process at a time can import the application: write workers = 1, and restart instead of reloading. Or open the file in a server of its own, as ZEO does for ZODB.';

/** Why a release whose import failed is ended. `serving` is the one that it should replace. */
export function broken(
  release: Release,
  { traceback, reason, exception }: ImportFailure,
  serving: Release | null,
): BrokenImport {
  const takesLock = release.takesLock || serving?.takesLock === true;
  const name = applicationName(release.options.project.application);
  return new BrokenImport(`Cannot import "${name}": ${reason}`, () => recordOf(exception), {
    ...(traceback === '' ? {} : { cause: traceback }),
    ...(takesLock ? { advice: ONE_PROCESS } : {}),
  });
}

function recordOf(exception: string): RecordedException | null {
  return exception === '' ? null : readPythonException(Buffer.from(exception, 'base64'));
}

const ENDED_BY_IMPORT =
  'Find out what ends Python there: a call such as os._exit(), a crash of a library, or the kernel for lack of memory (SIGKILL).';

/** Why a release whose zygote ended, with this status, cannot start. */
export function startFailed(release: Release, status: string): ViaductError {
  const { project, wrap } = release.options;
  if (release.isImporting) {
    const name = applicationName(project.application);
    return new ViaductError(
      'APPLICATION_BROKEN',
      `Cannot import "${name}": Python ended during the import: ${status}`,
      {
        advice: ENDED_BY_IMPORT,
      },
    );
  }
  if (!existsSync(project.directory)) {
    return new ViaductError('WORKER', `Cannot start the application: its directory "${project.directory}" is gone`, {
      advice: 'Make this directory again, or restart the server with another one.',
    });
  }
  const command = wrap ? `${wrap} ${project.python.path}` : project.python.path;
  return new ViaductError('WORKER', `Cannot start "${command}": ${status}`);
}

/** Why a release is ended one of whose workers died at its start. */
export function neverReady({ brokenFor, death }: Worker): ViaductError {
  return new ViaductError('WORKER', `Cannot start a worker: ${brokenFor || `it died ${death}`}`);
}

/** Why a restart is ended when somebody asks for a start, perhaps with code that can be imported. */
export function restartReplaced(): ViaductError {
  return new ViaductError('WORKER', 'Cannot restart the application: a reload starts it instead');
}

/** Why nothing starts any more. */
export function destroyed(): ViaductError {
  return new ViaductError('WORKER', 'Cannot start the application: the server was stopped');
}
