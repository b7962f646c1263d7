import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CONTROL_NAME, PREFIX, SOCKET_NAME } from './private-directory.ts';

/** The names of private directories. */
export const DIRECTORY_NAME = new RegExp(`^${PREFIX}[A-Za-z0-9]{6}$`);
/** Without a socket, a directory may belong to a server that starts just now. */
const WITHOUT_SOCKET_MS = 3_600_000;
const DIRECTORIES_MAX = 1000;
/** All that a private directory contains. A directory with anything else is somebody's own. */
const CONTENT =
  /^(?:server\.sock|control\.sock|worker-\d+\.scoreboard|(?:worker|release)-\d+\.(?:series|values)|body-\d+)$/;

/**
 * Removes the private directories in `base` whose servers ended without removing them, as after a loss of power.
 * Directories of other users stay, and so do symbolic links. A process that listens in a directory is alive; process
 * ids would not show that across containers that share `base`.
 */
export async function removeLeftovers(base: string): Promise<void> {
  const names = await readdir(base).catch(() => []);
  for (const name of names.filter((candidate) => DIRECTORY_NAME.test(candidate)).slice(0, DIRECTORIES_MAX)) {
    await removeIfDead(join(base, name)).catch(() => {}); // it stays, or another server has removed it meanwhile
  }
}

async function removeIfDead(path: string): Promise<void> {
  const { uid, mode, mtimeMs } = await lstat(path);
  if (uid !== process.geteuid?.() || (mode & 0o170777) !== 0o040700) return;
  const names = await readdir(path);
  if (!names.every((name) => CONTENT.test(name))) return;
  const socket = names.includes(CONTROL_NAME) ? CONTROL_NAME : SOCKET_NAME;
  const code = await connectTo(join(path, socket));
  if (code !== 'ECONNREFUSED' && !(code === 'ENOENT' && Date.now() - mtimeMs > WITHOUT_SOCKET_MS)) return;
  for (const name of names) await unlink(join(path, name));
  await rmdir(path);
}

/** The code of the error when nobody listens there; '' when somebody does. */
function connectTo(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
}
