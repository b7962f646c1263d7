/**
 * `npm start`: from a fresh clone to a Django site in the browser. Installs, builds and prepares what is missing or older than its sources,
 * then serves `examples/django-site`. What stands behind `npm start --` goes to the server.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { prepareVenv } from './setup.mjs';
import { installPackages, mustRun, ROOT, tool } from './steps.mjs';

const SITE = join(ROOT, 'examples/django-site');
/** What is made by us or by Python, not written by people. */
const MADE = ['.venv', 'var', '__pycache__'];
/** A Ctrl-C arrives twice under npm: from the terminal, and passed on by npm. Two within this time are one. */
const SAME_SIGNAL_MS = 400;

// The shell may be set up for another Django project.
delete process.env.DJANGO_SETTINGS_MODULE;
installPackages();
build();
prepareSite();
serve();

function build() {
  const info = join(ROOT, 'dist/.tsbuildinfo');
  const complete = existsSync(join(ROOT, 'dist/cli/main.js'));
  const sources = ['src', 'tsconfig.json', 'package-lock.json'].map((name) => newest(join(ROOT, name)));
  if (complete && existsSync(info) && statSync(info).mtimeMs >= Math.max(...sources)) return;
  if (!complete) rmSync(info, { force: true });
  mustRun('build', process.execPath, [tool('typescript'), '-p', 'tsconfig.json']);
  utimesSync(info, new Date(), new Date());
}

/** When the path, or the latest of what is in it, was changed. */
function newest(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Database, static files and demo data; skipped while neither the site's files nor its packages have changed since. */
function prepareSite() {
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
  const entries = readdirSync(directory, { withFileTypes: true }).filter(({ name }) => !MADE.includes(name));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    hash.update(`${path}\0`);
    if (entry.isDirectory()) contentHash(path, hash);
    else hash.update(readFileSync(path));
  }
  return hash;
}

/**
 * The server runs in a process group of its own, so that the terminal's signals come to it through us, each once. Hanging up ends it too: to
 * the server alone it would mean a reload.
 */
function serve() {
  console.log('- serve examples/django-site: log in to /admin/ with admin / admin');
  const args = [join(ROOT, 'bin/viaduct.js'), 'serve', 'examples/django-site', ...process.argv.slice(2)];
  const server = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', detached: true });
  let last = Number.NEGATIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - last < SAME_SIGNAL_MS) return;
      last = now;
      server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
  process.on('exit', () => server.kill('SIGTERM'));
  server.on('error', (error) => {
    console.log(`Cannot run "${process.execPath}": ${error.message}`);
    process.exit(1);
  });
  server.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
