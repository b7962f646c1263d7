import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { LineSink } from './access-log.ts';
import { DirectWriter, type OutputEvents } from './direct-writer.ts';
import type { LogStream } from './log.ts';
import { countLostLines, type LostLines } from './lost-lines.ts';

/**
 * Standard output for the access log, standard error for the server's. A file, which may be on a full disk, is written at once, as
 * `DirectWriter` says. Everything else is left to Node's stream, which needs a listener for its errors.
 */
export class StandardOutput implements LineSink, LogStream {
  readonly lost: LostLines;
  readonly #stream: NodeJS.WriteStream;
  readonly #fd: number;
  /** Null if it is not a file. */
  readonly #writer: DirectWriter | null;

  constructor(log: LostLines['log']) {
    const stream = log === 'access' ? process.stdout : process.stderr;
    this.lost = countLostLines(log, 'stream');
    this.#stream = stream;
    this.#fd = stream.fd;
    this.#writer = isFile(stream.fd) ? new DirectWriter(this.lost) : null;
  }

  set events(events: OutputEvents) {
    if (this.#writer !== null) this.#writer.events = events;
  }

  get writableLength(): number {
    return this.#writer === null ? this.#stream.writableLength : 0;
  }

  /** See `LineSink`. */
  write(text: string): boolean {
    if (this.#writer === null) return this.#stream.write(text);
    this.#writer.write(this.#fd, text);
    return true;
  }

  once(event: 'drain', listener: () => void): unknown {
    return this.#stream.once(event, listener);
  }
}

/** Whether `fd` is a file, or a device such as /dev/full, to which Node writes synchronously too. */
function isFile(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFile() || (stat.isCharacterDevice() && !isatty(fd));
}
