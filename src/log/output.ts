import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { LineSink } from './access-log.ts';
import { createLog, type Log, type LogStream } from './log.ts';

/** What happens to the lines of an output. */
export interface OutputEvents {
  /** The output takes no lines any more, for `reason`. Called once, until it takes lines again. */
  readonly onFailed: (reason: string) => void;
  /** The output takes lines again; `lines` were lost. */
  readonly onRecovered: (lines: number, reason: string) => void;
}

const NEWLINE = 10;

/**
 * Standard output or error. A failure of it is not an error of the server: lines that it does not take are lost and counted. A file, which
 * may be on a full disk, is written at once; the next line after a torn one starts on a line of its own. Everything else is
 * left to Node's stream, which needs a listener for its errors.
 */
export class Output implements LineSink, LogStream {
  /** Null: nobody wants to know. */
  events: OutputEvents | null = null;
  readonly #stream: NodeJS.WriteStream;
  readonly #fd: number;
  readonly #isFile: boolean;
  /** Whether the file ends in the middle of a line. */
  #torn = false;
  #lost = 0;
  #reason = '';

  constructor(stream: NodeJS.WriteStream & { readonly fd: number }) {
    this.#stream = stream;
    this.#fd = stream.fd;
    this.#isFile = isFile(stream.fd);
  }

  get writableLength(): number {
    return this.#isFile ? 0 : this.#stream.writableLength;
  }

  /** See `LineSink`. */
  write(text: string): boolean {
    if (!this.#isFile) return this.#stream.write(text);
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text);
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      this.#fail(bytes, at, error as Error);
      return true;
    }
    this.#torn = false;
    this.#recover();
    return true;
  }

  once(event: 'drain', listener: () => void): unknown {
    return this.#stream.once(event, listener);
  }

  #fail(bytes: Buffer, written: number, { message }: Error): void {
    if (written > 0) this.#torn = bytes[written - 1] !== NEWLINE;
    const isFirst = this.#lost === 0;
    for (let i = written; i < bytes.length; i += 1) if (bytes[i] === NEWLINE) this.#lost += 1;
    this.#reason = message;
    if (isFirst) this.events?.onFailed(message);
  }

  #recover(): void {
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.events?.onRecovered(lost, this.#reason);
  }
}

/** Whether `fd` is a file, or a device such as /dev/full, to which Node writes synchronously too. */
function isFile(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFile() || (stat.isCharacterDevice() && !isatty(fd));
}

/** The log and the access log of a process, on its two outputs. What one of them loses is reported in the other, and in itself once it recovers. */
export function openOutputs(format: 'text' | 'json'): { readonly log: Log; readonly accessLog: LineSink } {
  const accessLog = new Output(process.stdout);
  const errors = new Output(process.stderr);
  const log = createLog(format, errors);
  accessLog.events = {
    onFailed: (reason) => log.error(`Cannot write the access log, its lines are lost: ${reason}`),
    onRecovered: (lines, reason) => log.warn(`Access log lines were lost: ${reason}`, { lines }),
  };
  errors.events = {
    onFailed: () => {},
    onRecovered: (entries, reason) => log.warn(`Log entries were lost: ${reason}`, { entries }),
  };
  return { log, accessLog };
}
