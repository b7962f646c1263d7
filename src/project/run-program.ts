import { execFile } from 'node:child_process';
import { isPassing, RETRIES_MAX } from './passing-signals.ts';

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
  /** The signal that ended it. */
  readonly signal: string | null;
  /** Why it did not start. */
  readonly error: NodeJS.ErrnoException | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Runs a program to its end, while this process continues to serve. A program that ends by a signal for the server runs once more. */
export async function runProgram(file: string, args: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  for (let retries = 0; ; retries += 1) {
    const end = await runOnce(file, args, options);
    if (!isPassing(end.signal) || retries === RETRIES_MAX) return end;
  }
}

function runOnce(
  file: string,
  args: readonly string[],
  { input = '', timeoutMs, ...options }: ProgramOptions,
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const;
    const notStarted = (error: NodeJS.ErrnoException | null): void =>
      resolve({ status: null, signal: null, error, timedOut: false, stdout: '', stderr: '' });
    try {
      const child = execFile(file, [...args], { ...options, ...limits, encoding: 'utf8' }, (error, stdout, stderr) => {
        process.off('exit', kill);
        if (child.pid === undefined) notStarted(error as NodeJS.ErrnoException | null);
        else {
          const { exitCode: status, signalCode: signal } = child;
          resolve({ status, signal, error: null, timedOut: error?.killed === true, stdout, stderr });
        }
      });
      const kill = (): boolean => child.kill('SIGKILL');
      process.once('exit', kill); // nobody else would end it
      child.stdin?.on('error', () => {}); // the program has ended without reading
      child.stdin?.end(input);
    } catch (error) {
      notStarted(error as NodeJS.ErrnoException); // Node throws some errors and reports others
    }
  });
}
