import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { ROOT } from './steps.mjs';

/** A request that still runs delays a restart no longer than this: a second SIGTERM ends the server at once. */
const FINISH_MS = 2000;
/** The server's line that says where it serves. */
const SERVES = /^Viaduct \S+ serves /;
/** The line that follows in a terminal. */
const HINT = /^Press Ctrl-C/;

/**
 * A Viaduct that can be started again with the same arguments. It runs in a process group of its own, so that the terminal's signals do not
 * reach it: the owner stops it.
 */
export class ServerProcess {
  #args;
  #onEnd;
  #child = null;
  #hasServed = false;
  /** What the first start printed. Later starts do not print these lines again. */
  #printed = new Set();

  /**
   * @param {readonly string[]} args
   * @param {(code: number | string, hasServed: boolean) => void} onEnd called with the exit code or signal when the server ends and nobody
   *   stopped it. `hasServed` is false if no start has come so far that it listened.
   */
  constructor(args, onEnd) {
    this.#args = args;
    this.#onEnd = onEnd;
  }

  /** Starts the server. Resolves to true when it listens, to false when it ended before. */
  async start() {
    const args = [join(ROOT, 'bin/viaduct.js'), ...this.#args];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['inherit', 'inherit', 'pipe'], detached: true });
    this.#child = child;
    const closed = once(child, 'close').then(([code, signal]) => {
      if (this.#child !== child) return false;
      this.#child = null;
      this.#onEnd(code ?? signal, this.#hasServed);
      return false;
    });
    const isFirst = !this.#hasServed;
    let serves = false;
    const listening = new Promise((resolve) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        const text = stripVTControlCharacters(line);
        const isOfStart = !serves || HINT.test(text);
        if (isFirst && isOfStart) this.#printed.add(line);
        if (isFirst || !isOfStart || !this.#printed.has(line)) process.stderr.write(`${line}\n`);
        if (!SERVES.test(text)) return;
        serves = true;
        this.#hasServed = true;
        resolve(true);
      });
    });
    return await Promise.race([listening, closed]);
  }

  /** Stops the server. Resolves when it has ended. */
  async stop() {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGTERM'), FINISH_MS);
    await closed;
    clearTimeout(timer);
  }

  /** Asks the server to end, and does not wait. */
  kill() {
    this.#child?.kill('SIGTERM');
  }
}
