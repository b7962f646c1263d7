import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { BIN, ROOT, startViaduct, type Viaduct } from './viaduct.ts';
import { eventually } from './wait.ts';

const PAGE = 'docs/applications.md';
/** Longest run of a program that prepares an application, such as the migrations of a database. */
const PREPARE_MS = 300_000;

/** For `describe(title, { skip: notInstalled('trac') })`: false if the set-up has the application, otherwise the reason to skip. */
export function notInstalled(name: string): string | false {
  return existsSync(join(venvOf(name), 'bin/python')) ? false : `${name} is not installed in .setup/applications`;
}

/**
 * Makes the directory of an application as its section in `docs/applications.md` describes `/srv/NAME`: the files of this section, and the
 * virtual environment. `replaced` has texts of these files that differ on each machine, and what the test has instead.
 */
export function makeSite(t: Lifetime, name: string, replaced: Readonly<Record<string, string>> = {}): Site {
  const directory = temporaryDirectory(t);
  for (const [path, text] of filesOf(name)) {
    const texts = Object.entries({ [`/srv/${name}`]: directory, ...replaced });
    writeFileSync(
      join(directory, path),
      texts.reduce((result, [from, to]) => result.replaceAll(from, to), text),
    );
  }
  symlinkSync(venvOf(name), join(directory, 'venv'));
  return new Site(directory);
}

/** The directory of an application, and the programs that work in it. */
export class Site {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  path(...parts: readonly string[]): string {
    return join(this.directory, ...parts);
  }

  /** Runs a program of the virtual environment in the directory. Throws with its output if it fails. Returns what it printed. */
  run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ''): string {
    const result = spawnSync(this.path('venv/bin', program), args, {
      cwd: this.directory,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      timeout: PREPARE_MS,
      input,
    });
    if (result.status === 0) return result.stdout;
    throw new Error(`${program} ${args.join(' ')} ended with ${result.status}:\n${result.stdout}${result.stderr}`);
  }

  /** Starts Viaduct here, as a person does. */
  start(t: Lifetime, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Promise<Viaduct> {
    return startViaduct(t, [...args], { cwd: this.directory, env });
  }

  /** Runs `viaduct check` here. Returns what it printed to both outputs. Throws if it finds a fault. */
  check(env: Readonly<Record<string, string>> = {}): string {
    const options = {
      cwd: this.directory,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      timeout: PREPARE_MS,
    } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'check'], options);
    if (status !== 0) throw new Error(`viaduct check ended with ${status}:\n${stdout}${stderr}`);
    return stdout + stderr;
  }
}

/** Reloads the server while `visit` repeats. Returns how many visits have ended meanwhile. */
export async function reloadDuring(server: Viaduct, visit: () => Promise<unknown>): Promise<number> {
  const reloads = () => server.output().split('Reloaded in').length;
  const before = reloads();
  let visits = 0;
  let going = true;
  const visiting = (async () => {
    for (; going; visits += 1) await visit();
  })();
  process.kill(server.pid, 'SIGHUP');
  await Promise.race([visiting, eventually('the server has reloaded', () => reloads() > before)]);
  going = false;
  await visiting;
  return visits;
}

function venvOf(name: string): string {
  return join(ROOT, '.setup/applications', name);
}

/** The blocks of an application's section that begin with the name of a file, as a comment. */
function filesOf(name: string): (readonly [path: string, text: string])[] {
  const page = readFileSync(join(ROOT, PAGE), 'utf8');
  const section = page.split(/^## /m).find((text) => text.toLowerCase().startsWith(`${name}\n`));
  if (section === undefined) throw new Error(`${PAGE} has no section about ${name}`);
  const blocks = section.matchAll(/^```\w+\n# (\S+)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, path = '', text = '']) => [path, text] as const);
}
