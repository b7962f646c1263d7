import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct } from '../support/run-viaduct.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../support/viaduct.ts';

const DEPLOY = join(ROOT, 'deploy');
const TOOLS = join(ROOT, '.setup/deploy-tools/bin');
const NO_TOOLS = existsSync(join(TOOLS, 'helm')) ? false : 'helm is not built in .setup/deploy-tools';

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}${error ?? ''}`);
  return stdout;
}

/** What of a Kubernetes object the tests look at. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly containers: readonly { readonly args: readonly string[] }[];
        readonly terminationGracePeriodSeconds: number;
      };
    };
  };
}

/** Validates YAML against Kubernetes' own schemas; returns its objects. */
function manifestsOf(yaml: string): Manifest[] {
  const script = `import sys, json, yaml, kubernetes_validate as k
objects = [o for o in yaml.safe_load_all(sys.stdin) if o]
for o in objects: k.validate(o, "1.30", strict=True)
print(json.dumps(objects))`;
  const { status, stdout, stderr } = spawnSync(PYTHON_WITH_PACKAGES ?? '', ['-c', script], {
    input: yaml,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Manifest[];
}

/** A configuration of the web server is one that Viaduct takes; of a cluster it is told as a pod would be. */
async function accepted(t: TestContext, config: string): Promise<void> {
  const api = '\n[route.proxy_options.discovery]\nkubernetes_api = "http://127.0.0.1:1"\n';
  const cwd = makeProject(t, {
    'viaduct.toml': config.includes('kubernetes+') ? config + api : config,
    'app.py': 'def application(e, s): s("200 OK", []); return []\n',
  });
  const { code, output } = await runViaduct(cwd, 'check', ...(config.includes('[[route]]') ? [] : ['app:application']));
  assert.equal(code, 0, output);
}

/** Arguments are of commands and flags that there are. */
function understood(args: readonly string[]): void {
  const { mistakes, command } = readArguments(args.map((arg) => arg.replace(/\$\{[^}]*\}/g, '8000')));
  assert.deepEqual([mistakes, ['app', 'web'].includes(command)], [[], true], args.join(' '));
}

function checkPods(manifests: readonly Manifest[]): void {
  const pods = manifests.flatMap(({ spec }) => (spec?.template === undefined ? [] : [spec.template.spec]));
  assert.equal(pods.length, 2);
  for (const { containers, terminationGracePeriodSeconds } of pods) {
    for (const { args } of containers) understood(args);
    assert.ok(terminationGracePeriodSeconds > 30 + 5);
  }
}

describe('the files of deploy/', { concurrency: 2 }, () => {
  for (const name of ['app.yaml', 'web.yaml']) {
    it(`are manifests that Kubernetes takes: ${name}`, { skip: NO_PACKAGES }, async (t) => {
      const manifests = manifestsOf(readFileSync(join(DEPLOY, 'kubernetes', name), 'utf8'));
      assert.ok(manifests.length >= 5);
      for (const { data } of manifests) if (data !== undefined) await accepted(t, data['viaduct.toml'] ?? '');
    });
  }

  it('have pods whose arguments are understood', { skip: NO_PACKAGES }, () => {
    checkPods(
      ['app.yaml', 'web.yaml'].flatMap((name) => manifestsOf(readFileSync(join(DEPLOY, 'kubernetes', name), 'utf8'))),
    );
    const kustomization = readFileSync(join(DEPLOY, 'kubernetes/kustomization.yaml'), 'utf8');
    assert.match(kustomization, /^resources:\n {2}- app\.yaml\n {2}- web\.yaml\n$/m);
  });

  it('are a chart that helm takes, and manifests that Kubernetes takes with whatever values', {
    skip: NO_TOOLS || NO_PACKAGES,
  }, async (t) => {
    const helm = join(TOOLS, 'helm');
    const chart = join(DEPLOY, 'helm/viaduct');
    run(helm, 'lint', '--strict', chart);
    const template = (...values: readonly string[]): string =>
      run(helm, 'template', 'shop', chart, '--kube-version', '1.30', ...values.flatMap((value) => ['--set', value]));
    for (const values of [
      [],
      [
        'app.target=shop.wsgi:application',
        'app.autoscaling.maxReplicas=0',
        'web.service.type=LoadBalancer',
        'app.env[0].name=A',
        'app.env[0].value=b',
      ],
    ]) {
      const manifests = manifestsOf(template(...values));
      checkPods(manifests);
      for (const { data } of manifests) if (data !== undefined) await accepted(t, data['viaduct.toml'] ?? '');
    }
    for (const wrong of ['web.balance=best', 'app.replicas=0', 'app.workes=2', 'web.service.port=0']) {
      const { status, stderr } = spawnSync(
        helm,
        ['template', 'shop', chart, '--kube-version', '1.30', '--set', wrong],
        { encoding: 'utf8' },
      );
      assert.notEqual(status, 0, wrong);
      assert.match(stderr, /values don't meet the specifications/);
    }
  });

  it('are a job whose syntax is that of Nomad, with arguments and configurations that are understood', {
    skip: NO_TOOLS,
  }, async (t) => {
    const path = join(DEPLOY, 'nomad/viaduct.nomad.hcl');
    const blocks = run(join(TOOLS, 'parse'), 'hcl', path);
    assert.match(blocks, /^job \[shop\]\n(?: .*\n)* {2}group \[app\]\n(?: .*\n)* {2}group \[web\]\n/m);
    const text = readFileSync(path, 'utf8');
    const all = [...text.matchAll(/args\s+= (\[.*\])$/gm)].map(([, list = '']) => JSON.parse(list) as string[]);
    assert.equal(all.length, 2);
    for (const args of all) understood(args);
    const configs = [...text.matchAll(/<<-TOML\n([\s\S]*?)\n\s+TOML/g)].map(([, config = '']) =>
      config.replace(/^ {10}/gm, ''),
    );
    assert.equal(configs.length, 2);
    for (const config of configs) await accepted(t, config);
  });

  it('are a Containerfile whose instructions are known', { skip: NO_TOOLS }, () => {
    const output = run(join(TOOLS, 'parse'), 'container', join(DEPLOY, 'container/Containerfile'));
    for (const instruction of [
      'FROM node:20',
      'FROM python:3.11',
      'USER 10001:10001',
      'STOPSIGNAL SIGTERM',
      'ENTRYPOINT ["viaduct"]',
    ])
      assert.ok(output.includes(instruction), `${instruction} in\n${output}`);
    // What it copies from a clone of Viaduct is there.
    for (const [, path = ''] of output.matchAll(/^COPY --from=viaduct (\S+)/gm))
      assert.ok(existsSync(join(ROOT, path)), path);
  });
});
