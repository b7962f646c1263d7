import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { startPeer } from './peer.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Debian has a directory for each major version, and none of them is on the PATH. */
const VERSIONS = '/usr/lib/postgresql';

/** The directory of the newest server; null without one. */
function findServer(): string | null {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : [];
  return (
    versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb'))) ?? null
  );
}

/** For `it(title, { skip: NO_POSTGRES })`. */
export const NO_POSTGRES = findServer() === null ? 'PostgreSQL is not installed' : false;

/** A connection of a client, as in `pg_stat_activity`. */
export interface DatabaseConnection {
  /** The process of PostgreSQL for it. */
  readonly backend: number;
  /** `idle`, `active`, `idle in transaction`, `idle in transaction (aborted)`. */
  readonly state: string;
}

/** A running PostgreSQL with an empty database `test`, for its user `test`. */
export interface Postgres {
  /** Its sockets are here: the `host` of a client. */
  readonly directory: string;
  /** Runs a statement. Returns the rows, each as its columns. */
  query(statement: string): string[][];
  /** The connections of clients with this `application_name`. */
  connections(application: string): DatabaseConnection[];
}

/** Starts PostgreSQL in a directory of its own, without durability. As root it runs as the user `postgres`, because it refuses root. */
export async function startPostgres(t: Lifetime): Promise<Postgres> {
  const bin = findServer() as string;
  const directory = temporaryDirectory(t);
  chmodSync(directory, 0o755);
  const user = process.getuid?.() === 0 ? numberOfPostgres() : null;
  const as = user === null ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--'];
  const data = join(directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (user !== null) for (const path of [directory, data]) chownSync(path, user.uid, user.gid);
  const run = (program: string, ...args: string[]): readonly [string, string[]] =>
    user === null ? [join(bin, program), args] : ['setpriv', [...as, join(bin, program), ...args]];
  const [initdb, initArgs] = run(
    'initdb',
    '-D',
    data,
    '-U',
    'test',
    '-A',
    'trust',
    '--no-sync',
    '--no-locale',
    '-E',
    'UTF8',
  );
  execFileSync(initdb, initArgs, { stdio: 'pipe', cwd: directory });
  const options = { listen_addresses: '', unix_socket_directories: directory, fsync: 'off', max_connections: '60' };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [postgres, args] = run('postgres', '-D', data, ...flags);
  await startPeer(t, postgres, args, {
    cwd: directory,
    ready: ({ output }) => output().includes('ready to accept connections'),
  });
  const psql = (database: string, statement: string): string =>
    execFileSync('psql', ['-h', directory, '-U', 'test', '-d', database, '-XAtq', '-F', '\t', '-c', statement], {
      encoding: 'utf8',
    });
  psql('postgres', 'CREATE DATABASE test');
  const query = (statement: string): string[][] =>
    psql('test', statement)
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => row.split('\t'));
  return {
    directory,
    query,
    connections: (application) =>
      query(`SELECT pid, state FROM pg_stat_activity WHERE application_name = '${application}' ORDER BY pid`).map(
        ([backend, state = '']) => ({ backend: Number(backend), state }),
      ),
  };
}

function numberOfPostgres(): { readonly uid: number; readonly gid: number } {
  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'postgres']).stdout));
  return { uid, gid };
}
