import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { PYTHON_PACKAGE } from '../program-files.ts';
import type { Project } from './project.ts';

/** The connection in `stdio`, and an inherited standard error until the interpreter can take signals. */
const CONTROL = 3;
const ERRORS = 4;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

interface Waiting {
  readonly python: string;
  readonly directory: string;
  readonly child: ChildProcess;
  readonly control: Socket;
}

/**
 * An interpreter that finds a project and then waits to become the zygote of its application. It starts while this process still loads the code
 * of the server. Without a use for it, call `end`; it also ends with this process.
 */
export class WaitingInterpreter {
  readonly #outputs: readonly ['inherit' | 'pipe', 'inherit' | 'pipe'];
  readonly #passOn: (child: ChildProcess) => void;
  #waiting: Waiting | null = null;
  #onStarted: () => void = () => {};
  /** Resolves when an interpreter was started. */
  readonly started = new Promise<void>((resolve) => {
    this.#onStarted = resolve;
  });

  /** `outputs` is how a zygote gets the standard output and error; `passOn` reads them where they are pipes, from the start on. */
  constructor(outputs: readonly ['inherit' | 'pipe', 'inherit' | 'pipe'], passOn: (child: ChildProcess) => void) {
    this.#outputs = outputs;
    this.#passOn = passOn;
  }

  /**
   * Starts the interpreter `python` in `directory` and resolves to its answer about `target`. Null if there is none, for whatever reason; then
   * nothing waits.
   *
   * @param timeoutMs it has ended without an answer by then
   */
  async inspect(python: string, directory: string, target: object, timeoutMs: number): Promise<string | null> {
    this.end();
    const child = this.#start(python, directory, target);
    this.#onStarted();
    // Without free descriptors, a process may have no streams, whatever its type says.
    const control = (child?.stdio as ChildProcess['stdio'] | undefined)?.[CONTROL] as Socket | undefined;
    if (child === null || control === undefined) return null;
    const end = (): void => {
      control.destroy();
      child.kill('SIGTERM'); // Python may hang where it does not look at its connection. Further on this has no effect
    };
    const timer = setTimeout(end, timeoutMs);
    process.once('exit', end);
    const answer = await firstLine(control);
    process.off('exit', end);
    clearTimeout(timer);
    if (answer === null) end();
    else this.#waiting = { python, directory, child, control };
    return answer;
  }

  #start(python: string, directory: string, target: object): ChildProcess | null {
    const [output, errors] = this.#outputs;
    // Ctrl-C ends an interpreter that is still starting with a traceback, which nobody wants to see in the terminal.
    const isLate = errors === 'inherit';
    const stdio: StdioOptions = ['ignore', output, isLate ? 'ignore' : 'pipe', 'pipe', ...(isLate ? [2 as const] : [])];
    const env = { PYTHONUNBUFFERED: '1', ...process.env };
    const args = [PYTHON_PACKAGE, '--wait', JSON.stringify(target), ...(isLate ? [`${ERRORS}`] : [])];
    try {
      const child = spawn(python, args, { cwd: directory, env, stdio });
      child.on('error', () => {});
      this.#passOn(child);
      return child;
    } catch {
      return null;
    }
  }

  /**
   * The process that waits, which from now on is the zygote with these options; null if none waits for this project. The caller then starts one.
   * Its outputs are passed on already.
   */
  become({ python, directory, environment }: Project, options: object): ChildProcess | null {
    const waiting = this.#waiting;
    const fits = waiting?.python === python.path && waiting.directory === directory;
    const isAlive = waiting?.child.exitCode === null && waiting.child.signalCode === null && waiting.control.writable;
    if (waiting === null || !fits || !isAlive) {
      this.end();
      return null;
    }
    this.#waiting = null;
    waiting.control.end(`${JSON.stringify({ environment, options })}\n`);
    return waiting.child;
  }

  end(): void {
    this.#waiting?.control.destroy();
    this.#waiting = null;
  }
}

/** The first line of `control`; null for an empty one, or if it is closed before. */
function firstLine(control: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const done = (line: string): void => {
      control.off('data', take).resume();
      resolve(line === '' ? null : line);
    };
    const take = (block: string): void => {
      text += block;
      const end = text.indexOf('\n');
      if (end >= 0) done(text.slice(0, end));
      else if (text.length > ANSWER_BYTES_MAX) control.destroy();
    };
    control.setEncoding('utf8').on('data', take);
    control.on('error', () => {});
    control.once('close', () => done(''));
  });
}
