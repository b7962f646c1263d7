import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, ROOT } from './steps.mjs';
import { prepareVenv } from './venv.mjs';

/** The project that `npm start` and `npm run dev` serve, relative to the root. */
export const EXAMPLE_SITE = 'examples/django-site';

const SITE = join(ROOT, EXAMPLE_SITE);
/** Directories that a program writes. */
const GENERATED = ['.venv', 'var', '__pycache__'];

/**
 * Prepares the virtual environment, the database, the static files and the demo data. Does nothing while neither the files of the site nor
 * its packages have changed. Ends this process when a step fails.
 */
export function prepareExampleSite() {
  const python = prepareVenv(join(SITE, '.venv'), join(SITE, 'requirements.txt'));
  if (python === null) process.exit(1);
  const stamp = join(SITE, 'var/prepared.sha256');
  const wanted = contentHash(SITE).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const manage = (title, ...args) => mustRun(title, python, [join(SITE, 'manage.py'), ...args], { quiet: true });
  manage('prepare the database', 'migrate', '--noinput');
  manage('collect static files', 'collectstatic', '--noinput', '--clear');
  manage('fill in demo data', 'demo');
  writeFileSync(stamp, wanted);
}

function contentHash(directory, hash = createHash('sha256')) {
  const entries = readdirSync(directory, { withFileTypes: true }).filter(({ name }) => !GENERATED.includes(name));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    hash.update(`${path}\0`);
    if (entry.isDirectory()) contentHash(path, hash);
    else hash.update(readFileSync(path));
  }
  return hash;
}
