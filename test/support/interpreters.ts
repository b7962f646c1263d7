import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A CPython of this machine. */
export interface FoundInterpreter {
  readonly path: string;
  /** In full, such as `3.14.2 free-threading build`. */
  readonly version: string;
}

const MINORS = [10, 11, 12, 13, 14, 15];
const SHOW =
  "import os, sys; print(sys.implementation.name, sys.version.split('(')[0].strip(), os.path.realpath(sys.executable), sep='|')";

/** Each supported CPython on the PATH and among those of pyenv, one for each version and build, the oldest first. */
export function findInterpreters(): FoundInterpreter[] {
  const found = new Map<string, FoundInterpreter>();
  for (const candidate of candidates()) {
    const { status, stdout } = spawnSync(candidate, ['-c', SHOW], { encoding: 'utf8', timeout: 20_000 });
    const [name, version = '', path = ''] = stdout?.trim().split('|') ?? [];
    if (status === 0 && name === 'cpython' && !found.has(version)) found.set(version, { path, version });
  }
  const supported = [...found.values()].filter(({ version }) => MINORS.includes(minorOf(version)));
  return supported.sort((a, b) => minorOf(a.version) - minorOf(b.version));
}

function candidates(): string[] {
  const names = MINORS.flatMap((minor) => [`python3.${minor}`, `python3.${minor}t`]);
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const onPath = directories.flatMap((directory) => names.map((name) => join(directory, name)));
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const ofPyenv = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, 'bin/python3')) : [];
  return [...ofPyenv, ...onPath].filter((path) => existsSync(path));
}

function minorOf(version: string): number {
  return version.startsWith('3.') ? Number.parseInt(version.slice(2), 10) : 0;
}
