/**
 * `npm start`: from a fresh clone to a Django site in the browser. Installs, builds and prepares what is missing or older than its sources,
 * then serves `examples/django-site`. The arguments after `npm start --` go to the server.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { EXAMPLE_SITE, prepareExampleSite } from './example-site.mjs';
import { onEndSignal } from './signals.mjs';
import { BUILD_INFO, build, installPackages, isBuilt, ROOT } from './steps.mjs';

// The shell may be set up for another Django project.
delete process.env.DJANGO_SETTINGS_MODULE;
installPackages();
buildWhenOld();
prepareExampleSite();
serve();

function buildWhenOld() {
  const sources = [
    'src',
    'ui',
    'scripts/bundle.mjs',
    'scripts/bundle-ui.mjs',
    'tsconfig.json',
    'package-lock.json',
  ].map((name) => newest(join(ROOT, name)));
  if (isBuilt() && existsSync(BUILD_INFO) && statSync(BUILD_INFO).mtimeMs >= Math.max(...sources)) return;
  build();
  utimesSync(BUILD_INFO, new Date(), new Date());
}

/** When the path, or the latest file in it, was changed. */
function newest(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/**
 * The server runs in a process group of its own, so that the terminal's signals come to it through us, each once. Hanging up ends it too: to
 * the server alone it would mean a reload.
 */
function serve() {
  console.log(`- serve ${EXAMPLE_SITE}: log in to /admin/ with admin / admin`);
  const args = [join(ROOT, 'bin/viaduct.js'), 'serve', EXAMPLE_SITE, ...process.argv.slice(2)];
  const server = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', detached: true });
  onEndSignal((signal) => server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  process.on('exit', () => server.kill('SIGTERM'));
  server.on('error', (error) => {
    console.log(`Cannot run "${process.execPath}": ${error.message}`);
    process.exit(1);
  });
  server.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
