import { spawnSync } from 'node:child_process';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ViaductError } from '../errors.ts';
import { findInterpreter, type Interpreter, identityOf, missing, type RunAs } from './interpreter.ts';
import { applicationName, type Finding, type Project, type StaticMount } from './project.ts';
import { readTarget, type Target } from './target.ts';

export interface DiscoverOptions {
  /** PATH or MODULE:CALLABLE; null for the project in `chdir`. */
  readonly target: string | null;
  readonly chdir: string;
  /** Interpreter or virtual environment; null to find it. */
  readonly python: string | null;
  readonly dev: boolean;
  /** Mounts that the user gave: they win over found ones with the same prefix. */
  readonly staticMounts: readonly StaticMount[];
  /** As whom the project's own code runs; null for this process's user. */
  readonly runAs?: RunAs | null;
}

const INSPECTOR = fileURLToPath(new URL('../../python/viaduct_worker/inspect_project.py', import.meta.url));
const INSPECT_TIMEOUT_MS = 60_000;

/**
 * Finds the application, its interpreter and its static files. It asks the project's own Python once.
 *
 * @throws ViaductError `APPLICATION_MISSING` or `PYTHON_MISSING`, with what to do.
 */
export function discoverProject(options: DiscoverOptions): Project {
  const target = readTarget(options.target, options.chdir);
  const interpreter = findInterpreter(target.directory, options.python, options.runAs ?? null);
  const answer = ask(interpreter, target, options);
  if (answer.error !== undefined) {
    const doubt = doubts(interpreter).map(({ text }) => `The Python is perhaps the wrong one: ${text}.`);
    throw new ViaductError('APPLICATION_MISSING', answer.error, {
      advice: [...(answer.advice === undefined ? [] : [answer.advice]), ...doubt].join('\n'),
    });
  }
  const { application, directory, kind, described, version } = answer;
  const given = new Set(options.staticMounts.map(({ urlPrefix }) => urlPrefix));
  const mounts = answer.mounts.map(([urlPrefix, directories]) => ({ urlPrefix, directories }));
  const staticMounts = [...options.staticMounts, ...mounts.filter(({ urlPrefix }) => !given.has(urlPrefix))];
  const name = applicationName(application);
  const findings: Finding[] = [
    { level: 'found', subject: 'application', text: described === '' ? name : `${name} (${described})` },
    { level: 'found', subject: 'python', text: `${version} (${interpreter.source}: ${interpreter.path})` },
    ...doubts(interpreter),
    ...staticMounts.map(
      (mount): Finding => ({ level: 'found', subject: 'static', text: describeMount(mount, directory) }),
    ),
    ...answer.findings.map(([level, subject, text]): Finding => ({ level, subject, text })),
  ];
  const python = { path: interpreter.path, version, source: interpreter.source };
  const environment = { ...answer.environment, ...environmentOf(interpreter, answer.prefix) };
  return { directory, kind, application, python, environment, staticMounts, findings };
}

function doubts({ doubt }: Interpreter): Finding[] {
  return doubt === undefined ? [] : [{ level: 'hint', subject: 'python', text: doubt }];
}

interface Answer {
  readonly version: string;
  readonly prefix: string;
  readonly error?: string;
  readonly advice?: string;
  readonly kind: Project['kind'];
  readonly directory: string;
  readonly application: Project['application'];
  readonly described: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly [string, readonly string[]][];
  readonly findings: readonly [Finding['level'], string, string][];
}

function ask(interpreter: Interpreter, target: Target, { dev, runAs }: DiscoverOptions): Answer {
  const { status, signal, stdout, stderr } = spawnSync(interpreter.path, [INSPECTOR], {
    cwd: target.directory,
    input: JSON.stringify({ ...target, dev }),
    encoding: 'utf8',
    timeout: INSPECT_TIMEOUT_MS,
    ...identityOf(runAs ?? null),
    maxBuffer: 16 * 1024 * 1024,
  });
  const answer = readAnswer(stdout ?? '');
  if (answer === null) {
    const state =
      signal === 'SIGTERM' ? `it took longer than ${INSPECT_TIMEOUT_MS / 1000} s` : lastLine(stderr ?? '', status);
    throw missing(`Cannot use Python "${interpreter.path}": ${state}`);
  }
  const [major, minor] = answer.version.split('.').map(Number) as [number, number];
  if (major < 3 || (major === 3 && minor < 10)) {
    throw missing(`Cannot use Python "${interpreter.path}": it is ${answer.version}, and 3.10 or later is needed`);
  }
  return answer;
}

function readAnswer(stdout: string): Answer | null {
  try {
    const answer = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Answer;
    return typeof answer.version === 'string' ? answer : null;
  } catch {
    return null;
  }
}

function lastLine(stderr: string, status: number | null): string {
  return stderr.trim().split('\n').at(-1) || `it is no Python 3.10 or later (it left with ${status ?? 'an error'})`;
}

/** What activating the environment would set. */
function environmentOf(interpreter: Interpreter, prefix: string): Record<string, string> {
  const bin = dirname(interpreter.path);
  if (interpreter.source === 'PATH' || !bin.startsWith(prefix)) return {};
  return { VIRTUAL_ENV: prefix, PATH: `${bin}:${process.env.PATH ?? ''}` };
}

function describeMount({ urlPrefix, directories }: StaticMount, project: string): string {
  const names = directories.map((directory) =>
    directory.startsWith(`${project}/`) ? relative(project, directory) : directory,
  );
  const more = names.length > 3 ? ` and ${names.length - 2} more` : '';
  return `${urlPrefix} from ${(names.length > 3 ? names.slice(0, 2) : names).join(', ')}${more}`;
}
