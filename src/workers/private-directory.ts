import { lstatSync, mkdtempSync, rmSync, type Stats, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ViaductError } from '../errors.ts';

/** Start of the name of a private directory; six characters follow (mkdtemp(3)). */
export const PREFIX = 'viaduct-';
/** The socket in each private directory. While its server lives, somebody listens there. */
export const SOCKET_NAME = 'server.sock';
/** The socket for commands, in a directory without another one. */
export const CONTROL_NAME = 'control.sock';

/**
 * A plain ASCII path that leaves room for a file name within the length limit of a Unix socket's address on every
 * supported system.
 */
const SHORT_PATH = /^[\x21-\x7e]{1,80}$/;

/**
 * A directory (mode 0700) that only this server and its Python processes use, with a socket in it. `close` removes it.
 * When something else has removed it, such as a cleaner of temporary files, `ensure` makes another one. A directory that
 * somebody else has put in its place is left alone.
 */
export class PrivateDirectory {
  readonly #base: () => string;
  readonly #onConnection: (socket: Socket) => void;
  readonly #onError: (error: Error) => void;
  #path = '';
  /** The directory itself, because another one can have its path later. */
  #made: Pick<Stats, 'dev' | 'ino'> | null = null;
  #server: Server | null = null;
  #closed = false;

  /** `base` returns the directory to make it in. `onError` is called when the socket of a later one cannot be opened. */
  constructor(base: () => string, onConnection: (socket: Socket) => void, onError: (error: Error) => void) {
    this.#base = base;
    this.#onConnection = onConnection;
    this.#onError = onError;
  }

  /** Makes the directory and listens in it. Rejects with the error of the system, or after a `close` meanwhile. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#make(resolve, reject);
      this.#server?.on('close', () => reject(stopped()));
    });
  }

  /**
   * Returns the path of the directory, which exists and has the socket.
   *
   * @throws ViaductError `USAGE` when the directory is gone and another one cannot be made, `WORKER` after `close`
   */
  ensure(): string {
    if (this.#closed) throw stopped();
    if (!this.#isWhole()) this.#make(() => {}, this.#onError);
    return this.#path;
  }

  close(): void {
    this.#closed = true;
    this.#remove();
  }

  /** Whether the directory is still there, still only for this user, and has its socket. */
  #isWhole(): boolean {
    const found = this.#find();
    if (found === null || (found.mode & 0o777) !== 0o700) return false;
    return entryAt(join(this.#path, SOCKET_NAME))?.isSocket() === true;
  }

  /** The directory, unless it is gone or another one has its path. */
  #find(): Stats | null {
    const found = this.#made === null ? null : entryAt(this.#path);
    if (found === null || !found.isDirectory() || found.uid !== process.geteuid?.()) return null;
    return found.dev === this.#made?.dev && found.ino === this.#made.ino ? found : null;
  }

  #remove(): void {
    this.#server?.close();
    if (this.#find() !== null) rmSync(this.#path, { recursive: true, force: true });
    this.#made = null;
  }

  #make(onListening: () => void, onError: (error: Error) => void): void {
    this.#remove();
    this.#path = makePrivateDirectory(this.#base());
    this.#made = lstatSync(this.#path);
    this.#server = createServer(this.#onConnection);
    this.#server.on('error', onError); // each connection that cannot be accepted is another one
    // Each server process has a server of its own; the primary process, which binds shared addresses, must not bind
    // this one.
    this.#server.listen({ path: join(this.#path, SOCKET_NAME), exclusive: true }, onListening);
  }
}

/**
 * Where sockets and scoreboards live: the directory that the service manager made for this service (systemd.exec(5)) or
 * for this user (XDG Base Directory Specification), which no cleaner touches; else where temporary files live.
 */
export function runtimeBase(): string {
  const { RUNTIME_DIRECTORY = '', XDG_RUNTIME_DIR = '' } = process.env;
  return [...RUNTIME_DIRECTORY.split(':'), XDG_RUNTIME_DIR].find(isOurs) ?? temporaryBase();
}

/** Where large content lives: `TMPDIR`, or `/tmp` when its path is too long for a socket. */
export function temporaryBase(): string {
  return SHORT_PATH.test(tmpdir()) ? tmpdir() : '/tmp';
}

function isOurs(path: string): boolean {
  if (!path.startsWith('/') || !SHORT_PATH.test(path)) return false;
  const entry = statSync(path, { throwIfNoEntry: false });
  return entry?.isDirectory() === true && entry.uid === process.geteuid?.() && (entry.mode & 0o300) === 0o300;
}

function stopped(): ViaductError {
  return new ViaductError('WORKER', 'Cannot make a private file: the application has been stopped');
}

/** What has this path, without following a link; null for nothing, and for what this user cannot see. */
function entryAt(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

/** The file system of a directory that only this user may write to has no room, or is read-only. */
const UNUSABLE: ReadonlySet<string> = new Set(['EROFS', 'ENOSPC', 'EDQUOT']);

/**
 * Makes a directory for this user alone in `base`; or where temporary files live, if the file system of `base` is full or read-only.
 *
 * @throws ViaductError `USAGE` with the reason
 */
export function makePrivateDirectory(base: string): string {
  try {
    return mkdtempSync(join(base, PREFIX));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (UNUSABLE.has(code) && base !== temporaryBase()) return makePrivateDirectory(temporaryBase());
    throw new ViaductError('USAGE', `Cannot make a private directory in "${base}": ${message}`, {
      advice: 'Set TMPDIR to a directory that this user may write to and that has free space.',
    });
  }
}
