import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { DEPLOY, missing, parseCommandLine, renderChart, runTool, withDiscoveryAt } from '../support/deploy.ts';
import { ask } from '../support/http-client.ts';
import { KubernetesApi } from '../support/kubernetes-api.ts';
import { type Container, manifestsOf, podOf } from '../support/manifests.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT, runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `def application(environ, start_response):
    start_response("404 Not Found" if environ["PATH_INFO"] == "/" else "200 OK", [])
    return [environ["REMOTE_ADDR"].encode()]
`;

/** The arguments of a pod for this machine, without those that the test chooses. */
function argumentsOf({ args }: Container, config: string): string[] {
  const kept = args.filter((_, i) => args[i] !== '--listen' && args[i - 1] !== '--listen');
  return kept.map((arg) => (arg === '/etc/viaduct/viaduct.toml' ? config : arg));
}

/** Whether the health check of the image succeeds for the server at this port. */
async function isHealthy(port: number): Promise<boolean> {
  const text = readFileSync(join(DEPLOY, 'container/Containerfile'), 'utf8');
  const [, command = ''] = /^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(text) ?? [];
  const [, ...args] = JSON.parse(command) as string[];
  const python = spawn(
    PYTHON_WITH_PACKAGES ?? '',
    args.map((arg) => arg.replace('8000', `${port}`)),
    { stdio: 'ignore' },
  );
  const [code] = (await once(python, 'exit')) as [number | null];
  return code === 0;
}

/** The status of the answer to a probe of a pod, for the server at this port. */
async function probed({ httpGet }: Container['readinessProbe'], port: number): Promise<number> {
  return (await ask(port, httpGet?.path ?? '')).status;
}

describe('the manifests of the chart', { skip: missing('helm') || NO_PACKAGES }, () => {
  const manifests = () => manifestsOf(renderChart('web.routes=[[route]]\npath = "/old"\nredirect = "/new"\n'));

  it('let the web server find the application server in its EndpointSlice, and pass the client on', async (t) => {
    const [app, web] = ['app', 'web'].map((role) => podOf(manifests(), role));
    assert.ok(app !== undefined && web !== undefined);
    const api = await KubernetesApi.start(t);
    const cwd = makeProject(t, {
      'app.py': APP,
      'app.toml': app.config,
      'web.toml': withDiscoveryAt(web.config, { kubernetes: api.url }),
    });
    const appServer = await startViaduct(t, argumentsOf(app.main, 'app.toml'), { cwd });
    assert.equal(await probed(app.main.startupProbe ?? {}, appServer.port), 200);
    assert.equal(await probed(app.main.livenessProbe, appServer.port), 200);
    api.set({ name: 'shop-app-1', addresses: ['127.0.0.1'], port: appServer.port });
    const webServer = await startViaduct(t, argumentsOf(web.main, 'web.toml'), { cwd });
    assert.match(api.requests[0] ?? '', /\/namespaces\/default\/endpointslices\?.*service-name%3Dshop-app&/);
    assert.deepEqual(
      [await probed(web.main.readinessProbe, webServer.port), (await ask(webServer.port, '/old')).status],
      [200, 302],
    );
    await eventually('the application answers', async () => (await ask(webServer.port, '/page')).status === 200);
    const answer = await ask(webServer.port, '/page', { headers: [['X-Forwarded-For', '203.0.113.9']] });
    assert.equal(answer.body, '203.0.113.9');
  });
});

describe('the Containerfile', { skip: missing('container') }, () => {
  const instructions = () => runTool('container', join(DEPLOY, 'container/Containerfile'));

  it('has valid instructions, and does not run as root', () => {
    const output = instructions();
    for (const line of ['FROM node:20', 'FROM python:3.11', 'USER 10001:10001', 'STOPSIGNAL SIGTERM', 'EXPOSE 8000'])
      assert.ok(output.includes(line), `${line} in\n${output}`);
    assert.match(readFileSync(join(DEPLOY, 'container/Containerfile'), 'utf8'), /^ENTRYPOINT \["viaduct"\]$/m);
  });

  it('has a health check that succeeds when the server is ready, and fails before and without it', async (t) => {
    const silent = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    assert.equal(await isHealthy((silent.address() as { port: number }).port), false);
    const cwd = makeProject(t, { 'app.py': APP });
    const { port } = await startViaduct(t, ['--workers', '1'], { cwd });
    assert.equal(await isHealthy(port), true);
    assert.equal((await runViaduct(cwd, 'drain')).code, 0);
    assert.equal(await isHealthy(port), false);
  });

  it('ignores the same files with podman and with docker', () => {
    const [podman, docker] = ['containerignore', 'dockerignore'].map((name) =>
      readFileSync(join(DEPLOY, `container/Containerfile.${name}`), 'utf8'),
    );
    assert.equal(podman, docker);
  });

  it('copies every file that Viaduct needs to build and run, and only files that exist', (t) => {
    const text = readFileSync(join(DEPLOY, 'container/Containerfile'), 'utf8');
    const build = makeProject(t, {});
    const image = makeProject(t, {});
    const copies = [...text.matchAll(/^COPY --from=(\w+) (.+)$/gm)];
    const lastOfBuild = text.indexOf('\nFROM python');
    for (const { 1: from, 2: words = '', index } of copies) {
      const paths = words.split(' ');
      const to = paths.pop() ?? '';
      if (from !== 'viaduct') continue;
      for (const path of paths) {
        const into = index < lastOfBuild ? join(build, to) : join(image, to.replace('/opt/viaduct/', ''));
        const target = to.endsWith('/') ? join(into, path) : into;
        mkdirSync(dirname(target), { recursive: true });
        cpSync(join(ROOT, path), target, { recursive: true });
      }
    }
    symlinkSync(join(ROOT, 'node_modules'), join(build, 'node_modules'));
    const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: build, encoding: 'utf8' });
    assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
    for (const { 1: from, 2: words = '' } of copies) {
      const [path = '', to = ''] = words.split(' ').map((word) => word.replace('/opt/viaduct/', ''));
      if (from !== 'build' || path.startsWith('/')) continue;
      const put = path === 'node_modules' ? symlinkSync : renameSync;
      put(join(build, path), join(image, to));
    }
    const project = makeProject(t, { 'app.py': APP });
    const program = join(image, 'bin/viaduct.js');
    const ran = spawnSync(process.execPath, [program, 'check', project], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(ran.status, 0, `${ran.stdout}${ran.stderr}`);
  });
});

describe('the commands of docs/deploy.md', {
  skip: missing('helm') || missing('job') || missing('kustomization'),
}, () => {
  const page = readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8');
  const commands = [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    [...block.matchAll(/^\$ (.*(?:\\\n.*)*)$/gm)].map(([, line = '']) => line.replace(/\\\n/g, ' ').split(/\s+/)),
  );
  /** Assert that the files of a command exist, and that its arguments are valid. */
  const checks: Readonly<Record<string, (words: readonly string[]) => unknown>> = {
    'kubectl apply': (words) => runTool('kustomization', join(ROOT, words[words.indexOf('-k') + 1] ?? '')),
    'helm install': ([, , name = '', chart = '', ...rest]) =>
      runTool('helm', 'template', name, join(ROOT, chart), '--kube-version', '1.30', ...rest),
    'nomad job': (words) => runTool('job', join(ROOT, words.at(-1) ?? ''), words[words.indexOf('-var') + 1] ?? ''),
    'podman build': (words) => {
      const file = words[words.indexOf('-f') + 1] ?? '';
      runTool('container', join(ROOT, file.replace('../viaduct/', '')));
      assert.ok(words.includes('viaduct=../viaduct'));
    },
    'podman run': (words) => parseCommandLine(words.slice(words.findIndex((word) => word.startsWith('registry.')) + 1)),
    'sudo install': (words) => {
      for (const path of words.filter((word) => word.startsWith('deploy/')))
        assert.ok(existsSync(join(ROOT, path)), path);
    },
    'sudo systemctl': (words) => {
      for (const unit of words.filter((word) => /\.(service|socket)$/.test(word)))
        assert.ok(existsSync(join(DEPLOY, 'systemd', unit)), unit);
    },
  };

  it('all have a check', () => {
    assert.deepEqual(
      [...new Set(commands.map((words) => words.slice(0, 2).join(' ')))].sort(),
      Object.keys(checks).sort(),
    );
  });

  for (const words of commands)
    it(`are valid: ${words.join(' ')}`, () => {
      const check = checks[words.slice(0, 2).join(' ')] ?? assert.fail('this command has no check');
      check(words);
    });
});
