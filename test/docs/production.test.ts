import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { NO_CURL, NO_OPENSSL } from '../support/certificates.ts';
import { codeBlocks, headingsOf, readPage, sectionOf } from '../support/pages.ts';
import { makeProject } from '../support/project.ts';
import { ROOT } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const PAGE = readPage('production.md');
const STEPS = headingsOf(PAGE)
  .map(({ title }) => title)
  .filter((title) => /^\d+\. /.test(title));
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

/** What only root may do, what needs the network, and systemd. The rest of the page's commands runs as it is, below another root. */
function standIns(root: string): Readonly<Record<string, string>> {
  const kept = (program: string) => `args=""
while [ $# -gt 0 ]; do
  case "$1" in -o|-g) shift ;; *) args="$args '$1'" ;; esac
  shift
done
eval exec ${program} $args`;
  return {
    sudo: 'if [ "$1" = -u ]; then shift 2; fi\nexec "$@"',
    useradd: `echo "$*" >>'${root}/useradd'`,
    install: kept(spawnSync('which', ['install'], { encoding: 'utf8' }).stdout.trim()),
    chown: 'exit 0',
    npm: `case "$*" in install*)
  mkdir -p '${root}/usr/local/lib/node_modules' '${root}/usr/local/bin'
  ln -sfn '${ROOT}' '${root}/usr/local/lib/node_modules/viaduct'
  ln -sf ../lib/node_modules/viaduct/bin/viaduct.js '${root}/usr/local/bin/viaduct' ;;
esac`,
    systemctl: `echo "$*" >>'${root}/systemctl'
if [ "$*" = "reload viaduct" ]; then kill -HUP "$(cat '${root}/pid')"; fi`,
    journalctl: `cat '${root}/log'`,
    curl: `set -- $(cat '${root}/ports') "$@"
http=$1 https=$2
shift 2
exec ${spawnSync('which', ['curl'], { encoding: 'utf8' }).stdout.trim()} \
  --connect-to "shop.example.org:80:127.0.0.1:$http" --connect-to "shop.example.org:443:127.0.0.1:$https" "$@"`,
    certbot: `case "$*" in "certonly --webroot --webroot-path ${root}/var/www/acme --domain shop.example.org --deploy-hook "*) ;; *) exit 2 ;; esac
echo proof >'${root}/var/www/acme/.well-known/acme-challenge/token'
[ "$(curl --silent http://shop.example.org/.well-known/acme-challenge/token)" = proof ] || exit 3
mkdir -p '${root}/lineage'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=issued.example.org \
  -keyout '${root}/lineage/privkey.pem' -out '${root}/lineage/fullchain.pem' 2>/dev/null
RENEWED_LINEAGE='${root}/lineage' '${root}/etc/viaduct/install-certificate'`,
  };
}

/** The common name of the certificate at this port. */
function certificateAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { port, host: '127.0.0.1', servername: 'shop.example.org', rejectUnauthorized: false },
      () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      },
    );
    socket.once('error', reject);
  });
}

/** A value of a unit file. */
const entry = (unit: string, key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

/** Runs the unit as systemd does, with the sockets of the socket unit. */
async function startUnit(t: TestContext, root: string, path: string) {
  const units = join(root, 'etc/systemd/system');
  const service = readFileSync(join(units, 'viaduct.service'), 'utf8');
  const socket = readFileSync(join(units, 'viaduct.socket'), 'utf8');
  const all = socket + readFileSync(join(units, 'viaduct.socket.d/https.conf'), 'utf8');
  const sockets = [...all.matchAll(/^ListenStream=(\d+)$/gm)].map(([, port]) => port);
  assert.deepEqual(sockets, ['80', '443']);
  const command = entry(service, 'ExecStart').replace('/usr/local', `${root}/usr/local`).split(' ');
  const options = { sockets: sockets.map(() => entry(socket, 'FileDescriptorName')), command };
  const manager = spawn('python3', [join(ROOT, 'test/support/service_manager.py'), JSON.stringify(options)], {
    cwd: join(root, entry(service, 'WorkingDirectory')),
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (block: Buffer) => {
    output += block.toString();
  };
  manager.stdout.on('data', take);
  manager.stderr.on('data', take);
  const exited = new Promise<number | null>((resolve) => manager.once('exit', resolve));
  await eventually('systemd knows that it serves', () => {
    if (manager.exitCode !== null) throw new Error(output);
    return /READY=1/.test(output);
  });
  const pid = Number(/^PID (\d+)$/m.exec(output)?.[1]);
  t.after(async () => {
    if (manager.exitCode === null) process.kill(pid, 'SIGTERM');
    await exited;
  });
  const ports = /^PORTS (.*)$/m.exec(output)?.[1] ?? '';
  writeFileSync(join(root, 'pid'), `${pid}`);
  writeFileSync(join(root, 'ports'), ports);
  return { output: () => output, ports: ports.split(' ').map(Number) };
}

describe('the production quick start', () => {
  it('has the version of this package', () => {
    for (const [, found] of PAGE.matchAll(/viaduct-([\d.]+)\.tgz/g)) assert.equal(found, version);
  });

  it('works when its commands are pasted, one block after another', { skip: NO_OPENSSL || NO_CURL }, async (t) => {
    const root = makeProject(t, {});
    const programs = join(root, 'programs');
    mkdirSync(programs);
    for (const [name, text] of Object.entries(standIns(root)))
      writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    mkdirSync(join(root, 'etc/systemd/system'), { recursive: true });
    mkdirSync(join(root, 'srv'));
    const path = `${programs}:${join(root, 'usr/local/bin')}:${process.env.PATH}`;
    const paste = (title: string): string => {
      const text = codeBlocks(sectionOf(PAGE, title)).find(({ language }) => language === 'sh')?.text ?? '';
      assert.notEqual(text, '', title);
      const placed = text.replaceAll(/(?<![\w.])\/(usr\/local|srv|etc|var)\b/g, `${root}/$1`);
      const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', placed], {
        cwd: root,
        env: { ...process.env, PATH: path },
        encoding: 'utf8',
      });
      assert.equal(status, 0, `${title}\n${stdout}${stderr}`);
      return stdout;
    };
    const step = (number: number): string => STEPS[number - 1] ?? '';
    assert.equal(STEPS.length, 10);
    assert.match(paste(step(1)), new RegExp(`^viaduct ${version}$`, 'm'));
    for (const number of [2, 3]) paste(step(number));
    assert.match(paste(step(4)), /The application can be served\./);
    paste(step(5));
    const unit = await startUnit(t, root, path);
    const tested = paste(step(6));
    assert.match(tested, /^HTTP\/1\.1 301 /);
    assert.match(tested, /^location: https:\/\/shop\.example\.org\/\r$/im);
    assert.match(tested, /^HTTP\/2 200 [\s\S]*^strict-transport-security: max-age=86400\r$/m);
    assert.match(tested, /^https:\/\/shop\.example\.org$/m);
    const [, https = 0] = unit.ports;
    assert.equal(await certificateAt(https), 'shop.example.org');
    paste(step(7));
    await eventually(
      'the new certificate is in use',
      async () => (await certificateAt(https)) === 'issued.example.org',
    );
    writeFileSync(join(root, 'log'), unit.output());
    assert.match(paste(step(8)), /"path":"\/"/);
    paste(step(9));
    await eventually('it has reloaded', () => /Reloaded in \d+ ms/.test(unit.output()));
    paste(step(10));
    const asked = readFileSync(join(root, 'systemctl'), 'utf8').trim().split('\n');
    assert.deepEqual(asked, [
      'daemon-reload',
      'enable --now viaduct.socket viaduct.service',
      'reload viaduct',
      'restart viaduct',
    ]);
    const user = entry(readFileSync(join(root, 'etc/systemd/system/viaduct.service'), 'utf8'), 'User');
    assert.match(readFileSync(join(root, 'useradd'), 'utf8'), new RegExp(` ${user}$`, 'm'));
  });
});
