import { closeSync, fchownSync, constants as flags, fstatSync, openSync } from 'node:fs';
import { asError, ViaductError } from '../errors.ts';
import { DirectWriter, type OutputEvents } from './direct-writer.ts';
import { countLostLines, type LostLines } from './lost-lines.ts';

/** The user and group that own the file, if not those of this process. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A FIFO without a reader is an error, and a full one loses lines: neither may block the server. */
const OPEN_FLAGS = flags.O_WRONLY | flags.O_APPEND | flags.O_CREAT | flags.O_NONBLOCK;
const MODE = 0o640;

/**
 * A file that takes the lines of a log. Several processes may append to it, and so may logrotate truncate it (`copytruncate`). What it does not
 * take is lost and counted, as `DirectWriter` says.
 */
export class LogFile {
  readonly writableLength = 0;
  readonly #path: string;
  readonly lost: LostLines;
  readonly #writer: DirectWriter;
  #fd: number;

  /**
   * Opens the file, or creates it with mode 640 for `owner`.
   *
   * @throws ViaductError `USAGE` if that is not possible
   */
  constructor(log: LostLines['log'], path: string, owner: FileOwner | null) {
    this.lost = countLostLines(log, 'file');
    this.#writer = new DirectWriter(this.lost);
    this.#path = path;
    try {
      this.#fd = openSync(path, OPEN_FLAGS, MODE);
      if (owner !== null && fstatSync(this.#fd).size === 0) fchownSync(this.#fd, owner.uid, owner.gid);
    } catch (error) {
      throw new ViaductError('USAGE', `Cannot open the log file "${path}": ${stateOf(error)}`, {
        advice: 'Its directory must exist, and this user must be able to write to it.',
      });
    }
  }

  set events(events: OutputEvents) {
    this.#writer.events = events;
  }

  /** See `LineSink`. */
  write(text: string): boolean {
    this.#writer.write(this.#fd, text);
    return true;
  }

  /** It never waits. */
  once(): void {}

  /** Opens the file at the path again, after it was renamed. Returns the reason if that fails: then lines go to the renamed file. */
  reopen(): string {
    let fd: number;
    try {
      fd = openSync(this.#path, OPEN_FLAGS, MODE);
    } catch (error) {
      return `Cannot open the log file "${this.#path}" again: ${stateOf(error)}`;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#writer.restart();
    return '';
  }
}

const STATES: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'its directory is a file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EROFS: 'its file system is read-only',
};

function stateOf(error: unknown): string {
  const { code, message } = asError(error) as NodeJS.ErrnoException;
  return STATES[code ?? ''] ?? message;
}
