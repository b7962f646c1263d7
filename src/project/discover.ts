import { dirname, relative } from 'node:path';
import { ViaductError } from '../errors.ts';
import { pythonFile } from '../program-files.ts';
import { findInterpreter, type Interpreter, identityOf, missing, PERMISSION, type RunAs } from './interpreter.ts';
import { applicationName, type Finding, type Project, type StaticMount } from './project.ts';
import { runProgram } from './run-program.ts';
import { readTarget, type Target } from './target.ts';
import type { WaitingInterpreter } from './waiting-interpreter.ts';

export interface DiscoverOptions {
  /** PATH or MODULE:CALLABLE; null for the project in `chdir`. */
  readonly target: string | null;
  readonly chdir: string;
  /** Path of an interpreter or a virtual environment; null to search for one. */
  readonly python: string | null;
  readonly dev: boolean;
  /** Configured mounts. They replace discovered mounts with the same prefix. */
  readonly staticMounts: readonly StaticMount[];
  /** The user that runs the project's code; null for the user of this process. */
  readonly runAs?: RunAs | null;
  /** An interpreter to ask, which then waits for its application. */
  readonly waiting?: WaitingInterpreter | undefined;
}

const INSPECTOR = pythonFile('inspect_project.py');
const INSPECT_TIMEOUT_MS = 60_000;
/** Names of other Pythons, by `sys.implementation.name`. */
const IMPLEMENTATIONS: Readonly<Record<string, string>> = { graalpy: 'GraalPy', pypy: 'PyPy' };

/**
 * Finds the application, its interpreter and its static files. The project's own Python runs once for this.
 *
 * @throws ViaductError `APPLICATION_MISSING` or `PYTHON_MISSING`, with advice.
 */
export async function discoverProject(options: DiscoverOptions): Promise<Project> {
  const target = readTarget(options.target, options.chdir);
  const interpreter = await findInterpreter(target.directory, options.python, options.runAs ?? null);
  const answer = await inspect(interpreter, target, options);
  if (answer.error !== undefined) {
    const doubts = doubtFindings(interpreter).map(({ text }) => `This may be the wrong Python: ${text}.`);
    throw new ViaductError('APPLICATION_MISSING', answer.error, {
      advice: [...(answer.advice === undefined ? [] : [answer.advice]), ...doubts].join('\n'),
    });
  }
  const { application, directory, kind, described, version } = answer;
  const configured = new Set(options.staticMounts.map(({ urlPrefix }) => urlPrefix));
  const mounts = answer.mounts.map(([urlPrefix, directories, isRelative]) => ({ urlPrefix, directories, isRelative }));
  const staticMounts = [...options.staticMounts, ...mounts.filter(({ urlPrefix }) => !configured.has(urlPrefix))];
  const name = applicationName(application);
  const findings: Finding[] = [
    { level: 'found', subject: 'application', text: described === '' ? name : `${name} (${described})` },
    { level: 'found', subject: 'python', text: `${version} (${interpreter.source}: ${interpreter.path})` },
    ...doubtFindings(interpreter),
    ...staticMounts.map(
      (mount): Finding => ({ level: 'found', subject: 'static', text: describeMount(mount, directory) }),
    ),
    ...answer.findings.map(([level, subject, text]): Finding => ({ level, subject, text })),
  ];
  const python = { path: interpreter.path, version, source: interpreter.source };
  const environment = { ...answer.environment, ...environmentOf(interpreter, answer.prefix) };
  return { directory, kind, application, python, environment, staticMounts, findings };
}

function doubtFindings({ doubt }: Interpreter): Finding[] {
  return doubt === undefined ? [] : [{ level: 'hint', subject: 'python', text: doubt }];
}

interface Answer {
  readonly implementation?: string;
  readonly version: string;
  readonly prefix: string;
  readonly error?: string;
  readonly advice?: string;
  readonly kind: Project['kind'];
  readonly directory: string;
  readonly application: Project['application'];
  readonly described: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly [urlPrefix: string, directories: readonly string[], isRelative: boolean][];
  readonly findings: readonly [Finding['level'], string, string][];
}

async function inspect(interpreter: Interpreter, target: Target, options: DiscoverOptions): Promise<Answer> {
  const { dev, runAs, waiting } = options;
  if (waiting !== undefined && (runAs ?? null) === null) {
    const startedMs = performance.now();
    const line = await waiting.inspect(interpreter.path, target.directory, { ...target, dev }, INSPECT_TIMEOUT_MS);
    const answer = line === null ? null : readAnswer(line);
    if (answer !== null) return supported(interpreter, answer);
    if (performance.now() - startedMs >= INSPECT_TIMEOUT_MS) throw notEnded(target);
  }
  const { error, status, signal, timedOut, stdout, stderr } = await runProgram(interpreter.path, [INSPECTOR], {
    cwd: target.directory,
    input: JSON.stringify({ ...target, dev }),
    timeoutMs: INSPECT_TIMEOUT_MS,
    ...identityOf(runAs ?? null),
  });
  if (error !== null) throw notStarted(interpreter, error);
  const answer = readAnswer(stdout);
  if (answer !== null && isWhole(supported(interpreter, answer))) return answer;
  if (timedOut) throw notEnded(target);
  const line = signal === null ? lineOf(stderr) : '';
  if (line.startsWith('PermissionError: ')) throw notReadable(target, line);
  const how = signal === null ? `with exit code ${status}` : `of ${signal}`;
  if (answer !== null) throw endedByProject(target, how, stderr);
  const state = line || (signal === null ? `it is not Python 3.10 or later (it ended ${how})` : `it ended ${how}`);
  throw missing(`Cannot use Python "${interpreter.path}": ${state}`, undefined, stderr);
}

/** Only CPython forks and marshals as the workers need it. */
function supported({ path }: Interpreter, answer: Answer): Answer {
  const { implementation = 'cpython', version } = answer;
  const [major, minor] = version.split('.').map(Number) as [number, number];
  if (major < 3 || (major === 3 && minor < 10))
    throw missing(`Cannot use Python "${path}": it is ${version}, and 3.10 or later is needed`);
  if (implementation !== 'cpython') {
    const name = IMPLEMENTATIONS[implementation] ?? implementation;
    throw missing(`Cannot use Python "${path}": it is ${name}, and only CPython is supported`);
  }
  return answer;
}

/** What to do when the system has no more of something for a further process, which says nothing about Python. */
const LIMITS: Readonly<Record<string, string>> = {
  EAGAIN: 'Raise the limit of processes: ulimit -u, TasksMax of systemd, or the pids of a container.',
  EMFILE: 'Raise the limit of open files: ulimit -n, or LimitNOFILE of systemd.',
  ENFILE: 'The machine has no descriptors left: find out who has them, or raise fs.file-max.',
  ENOMEM: 'The machine has too little memory for a further process.',
};

/** The user of the project may have fewer rights than this process. */
function notStarted({ path }: Interpreter, { code, message }: NodeJS.ErrnoException): ViaductError {
  if (code !== 'EACCES') return missing(`Cannot use Python "${path}": ${message}`, LIMITS[code ?? '']);
  return missing(`Cannot use Python "${path}": its user may not execute it`, PERMISSION);
}

function notReadable({ directory }: Target, line: string): ViaductError {
  return new ViaductError('APPLICATION_MISSING', `Cannot read the project in "${directory}": ${line}`, {
    advice: 'Let the user that runs the project read it, and enter all directories above it.',
  });
}

function notEnded({ directory }: Target): ViaductError {
  const state = `its Python took longer than ${INSPECT_TIMEOUT_MS / 1000} s`;
  return new ViaductError('APPLICATION_MISSING', `Cannot inspect the project in "${directory}": ${state}`, {
    advice: 'Viaduct imports the settings of Django for this: find out what they wait for.',
  });
}

/** The interpreter works, and something that the project did ended it. `stderr` may have the last words. */
function endedByProject({ directory }: Target, how: string, stderr: string): ViaductError {
  const line = /^(?:Traceback|Fatal Python error)/m.test(stderr) ? lineOf(stderr) : `its Python ended ${how}`;
  return new ViaductError('APPLICATION_MISSING', `Cannot inspect the project in "${directory}": ${line}`, {
    advice:
      'Viaduct imports the settings of Django for this: find out what ends Python there, such as os._exit() or a crash of a library.',
    ...(stderr.trim() === '' ? {} : { cause: stderr }),
  });
}

function readAnswer(stdout: string): Answer | null {
  try {
    const answer = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Answer;
    return typeof answer.version === 'string' ? answer : null;
  } catch {
    return null;
  }
}

/** Whether it says more than what the interpreter is, which it says before it looks at the project. */
function isWhole({ kind, error }: Answer): boolean {
  return kind !== undefined || error !== undefined;
}

/** The line of `stderr` that says most: the first one of a fatal error, otherwise the last one. */
function lineOf(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => line.startsWith('Fatal Python error: ')) ?? lines.at(-1) ?? '';
}

/** The variables that activating the environment would set. */
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
