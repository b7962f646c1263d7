import { execFile } from 'node:child_process';

export interface ProgramOptions {
  readonly cwd: string;
  /** Written to its standard input. */
  readonly input?: string;
  /** A program that still runs then is killed. */
  readonly timeoutMs: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** How a program ended, and what it wrote. */
export interface ProgramEnd {
  /** Null if a signal ended it, or if it did not start. */
  readonly status: number | null;
  /** Why it did not start. */
  readonly error: NodeJS.ErrnoException | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** How often a program is started again that a signal has ended. */
const RETRIES_MAX = 3;
/**
 * Signals that a service manager or a terminal sends to all processes of a server. They mean nothing to the server, but end a program that does
 * not expect them.
 */
const PASSING = new Set([
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPROF',
  'SIGIO',
  'SIGPWR',
]);

/** Runs a program to its end, while this process continues to serve. A program that ends by a signal for the server runs once more. */
export async function runProgram(file: string, args: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  for (let retries = 0; ; retries += 1) {
    const { signal, ...end } = await runOnce(file, args, options);
    if (signal === null || !PASSING.has(signal) || retries === RETRIES_MAX) return end;
  }
}

function runOnce(
  file: string,
  args: readonly string[],
  { input = '', timeoutMs, ...options }: ProgramOptions,
): Promise<ProgramEnd & { readonly signal: string | null }> {
  return new Promise((resolve) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const;
    const notStarted = (error: NodeJS.ErrnoException | null): void =>
      resolve({ status: null, signal: null, error, timedOut: false, stdout: '', stderr: '' });
    try {
      const child = execFile(file, [...args], { ...options, ...limits, encoding: 'utf8' }, (error, stdout, stderr) => {
        if (child.pid === undefined) notStarted(error as NodeJS.ErrnoException | null);
        else {
          const { exitCode: status, signalCode: signal } = child;
          resolve({ status, signal, error: null, timedOut: error?.killed === true, stdout, stderr });
        }
      });
      child.stdin?.on('error', () => {}); // the program has ended without reading
      child.stdin?.end(input);
    } catch (error) {
      notStarted(error as NodeJS.ErrnoException); // Node throws some errors and reports others
    }
  });
}
