import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FromPython, readMessages } from './messages.ts';

/** A path that fits a Unix socket's address on every supported system, with room for the file's name, in plain ASCII. */
const SHORT_PATH = /^[\x21-\x7e]{1,80}$/;

export type Hello = Extract<FromPython, { kind: 'zygote' | 'worker' | 'lane' }>;

/**
 * A private directory (mode 0700) for what the front and its Python processes share: the socket that they connect to, the
 * scoreboards and the spool files. Removed by `close`, or by the zygote when the front was killed.
 */
export class Runtime {
  readonly directory: string;
  readonly socketPath: string;
  readonly #server: Server;

  /** `onHello` gets each connection with the first message on it; nothing more is read until somebody listens. */
  constructor(onHello: (hello: Hello, socket: Socket) => void) {
    const base = SHORT_PATH.test(tmpdir()) ? tmpdir() : '/tmp';
    this.directory = mkdtempSync(join(base, 'viaduct-'));
    this.socketPath = join(this.directory, 'front.sock');
    this.#server = createServer((socket) => {
      socket.on('error', ignore);
      const stop = readMessages(socket, (message) => {
        stop();
        socket.pause();
        onHello(message as Hello, socket);
      });
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // Of several fronts each has its own: the primary, which binds what they share, has nothing to do with it.
      this.#server.listen({ path: this.socketPath, exclusive: true }, resolve);
    });
  }

  close(): void {
    this.#server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The close event that follows says everything. */
function ignore(): void {}
