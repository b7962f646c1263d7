import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { pythonFile } from '../program-files.ts';
import type { FileOwner } from './log-file.ts';
import { written } from './written.ts';

const PROGRAM = pythonFile('datagrams.py');
const RESTART_MS_MIN = 1000;
const RESTART_MS_MAX = 30_000;
/** So much of its standard error explains why it ended. */
const ERRORS_CHARS_MAX = 2000;

export interface DatagramProcessOptions {
  /** The path of an interpreter. */
  readonly python: string;
  /** The socket that takes the datagrams. */
  readonly path: string;
  /** The user of the process, if it is not that of this process. */
  readonly owner: FileOwner | null;
}

/** Called for each message: `reason` is why it was not taken, '' if it was. */
export type OnSent = (bytes: number, reason: string) => void;

interface Sent {
  readonly bytes: number;
  readonly onSent: OnSent;
}

/**
 * Sends datagrams to a Unix socket by a Python process, datagrams.py, because Node cannot. It starts with the first message and ends with this
 * process. If it dies, what it had not sent is lost, and a later message starts another one.
 */
export class DatagramProcess {
  readonly path: string;
  readonly #options: DatagramProcessOptions;
  #child: ChildProcess | null = null;
  /** What the process has not answered, in order. */
  #sent: Sent[] = [];
  /** How many of them are answered already. */
  #answered = 0;
  /** Why it died, and until when no other is started. */
  #reason = '';
  #restartAtMs = 0;
  #restartMs = RESTART_MS_MIN;

  constructor(options: DatagramProcessOptions) {
    this.path = options.path;
    this.#options = options;
  }

  /** `onSent` follows, maybe at once. The caller limits what is on its way. */
  send(message: Buffer, onSent: OnSent): void {
    if (this.#child === null && performance.now() >= this.#restartAtMs) this.#start();
    if (this.#child === null) {
      onSent(message.length, this.#reason);
      return;
    }
    this.#sent.push({ bytes: message.length, onSent });
    const input = this.#child.stdin as Socket | null | undefined;
    if (input === null || input === undefined) return; // without descriptors left, its `error` follows
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.length);
    input.cork();
    input.write(length);
    input.write(message);
    input.uncork();
  }

  /** Resolves when the process has all messages, or has ended. */
  flush(): Promise<void> {
    return written(this.#child?.stdin);
  }

  #start(): void {
    try {
      this.#child = this.#launch();
    } catch (error) {
      this.#end(`${this.#options.python}: ${(error as Error).message}`); // such as ENOMEM and EPERM, which Node throws
    }
  }

  #launch(): ChildProcess {
    const { python, path, owner } = this.#options;
    const identity = owner !== null && process.getuid?.() === 0 ? owner : {};
    const child = spawn(python, ['-I', '-S', PROGRAM, path], {
      ...identity,
      stdio: 'pipe',
      detached: true, // a terminal's Ctrl-C must not reach it
    });
    let how = '';
    let errors = '';
    child.once('error', (error) => {
      how = `${python}: ${error.message}`;
      if (child.pid === undefined) this.#lose(child, how);
    });
    child.once('exit', (code, signal) => {
      how = `datagrams.py ended ${signal === null ? `with exit code ${code}` : `of ${signal}`}`;
    });
    child.once('close', () => {
      const last = errors.trimEnd().split('\n').at(-1) ?? '';
      this.#lose(child, last === '' ? how : `${how}: ${last}`);
    });
    child.stdin?.on('error', () => {});
    child.stdout?.on('data', (results: Buffer) => this.#answer(child, results));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-ERRORS_CHARS_MAX);
    });
    // No log keeps this process alive. Streams are undefined if no descriptors are left.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket | null | undefined)?.unref();
    return child;
  }

  #answer(child: ChildProcess, results: Buffer): void {
    for (const result of results) {
      const sent = this.#sent[this.#answered];
      if (sent === undefined) {
        child.kill('SIGKILL'); // it has answered what nobody asked
        break;
      }
      this.#answered += 1;
      sent.onSent(sent.bytes, result === 0 ? '' : errorText(result));
    }
    this.#restartMs = RESTART_MS_MIN;
    this.#sent.splice(0, this.#answered);
    this.#answered = 0;
  }

  #lose(child: ChildProcess, reason: string): void {
    if (this.#child === child) this.#end(reason);
  }

  #end(reason: string): void {
    this.#child = null;
    this.#reason = reason;
    this.#restartAtMs = performance.now() + this.#restartMs;
    this.#restartMs = Math.min(RESTART_MS_MAX, 2 * this.#restartMs);
    const sent = this.#sent;
    this.#sent = [];
    for (const { bytes, onSent } of sent) onSent(bytes, reason);
  }
}

/** `ENOENT: no such file or directory`. */
function errorText(number: number): string {
  return getSystemErrorMap().get(-number)?.join(': ') ?? `error ${number}`;
}
