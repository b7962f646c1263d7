import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SETTINGS } from '../../src/config/settings.ts';
import { proxyOptions } from '../../src/site/schema/proxy-options.ts';
import { assertAccepted, DEPLOY, missing, parseCommandLine, renderChart, runTool, tryTool } from '../support/deploy.ts';
import { checkReferences, type Manifest, manifestsOf, podOf } from '../support/manifests.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, ROOT } from '../support/viaduct.ts';

/** Configurations that Viaduct has accepted. Most values of the chart do not change them. */
const accepted = new Set<string>();

/** Asserts that the pods of both roles fit together, have few rights and enough time to stop, and have valid arguments and settings. */
async function checkPods(t: TestContext, manifests: readonly Manifest[]): Promise<void> {
  checkReferences(manifests);
  for (const role of ['app', 'web'] as const) {
    const { pod, main, config } = podOf(manifests, role);
    const { role: command, flags } = parseCommandLine(main.args);
    assert.equal(command, role);
    assert.equal(flags.get('listen'), `0.0.0.0:${main.ports[0]?.containerPort}`);
    const volume = main.volumeMounts.find(({ name }) => name === 'config');
    assert.equal(flags.get('config'), `${volume?.mountPath}/viaduct.toml`);
    const graceful = flags.get('gracefulTimeoutMs');
    const gracefulMs =
      graceful === undefined ? SETTINGS.gracefulTimeoutMs.default : Number.parseInt(graceful, 10) * 1000;
    const [pause = '', seconds] = main.lifecycle.preStop.exec.command;
    assert.equal(pause, 'sleep');
    assert.ok(pod.terminationGracePeriodSeconds * 1000 > gracefulMs + Number(seconds) * 1000);
    assert.deepEqual(main.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const user = {
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    };
    assert.deepEqual(pod.securityContext, user);
    assert.deepEqual(main.readinessProbe.httpGet, { path: '/-/ready', port: 'http' });
    assert.deepEqual(main.livenessProbe.httpGet, { path: '/-/live', port: 'http' });
    if (role === 'app') assert.deepEqual(main.startupProbe?.httpGet, main.readinessProbe.httpGet);
    assert.ok(main.volumeMounts.some(({ mountPath }) => mountPath === '/tmp'));
    assert.ok(main.resources.requests !== undefined);
    assert.equal(pod.serviceAccountName === undefined, pod.automountServiceAccountToken === false);
    assert.equal(pod.serviceAccountName !== undefined, config.includes('kubernetes+http://'));
    if (!accepted.has(config)) await assertAccepted(t, role, config);
    accepted.add(config);
  }
}

describe('the manifests for Kubernetes', { skip: missing('kustomization') || NO_PACKAGES, concurrency: 2 }, () => {
  for (const [name, engine] of [
    ['kubernetes', 'kubernetes+http://shop-app:http'],
    ['kubernetes-srv', 'srv+http://_http._tcp.shop-app.shop.svc.cluster.local'],
  ] as const) {
    it(`of deploy/${name} are valid, fit together and have pods that start Viaduct`, async (t) => {
      const manifests = manifestsOf(runTool('kustomization', join(DEPLOY, name)));
      await checkPods(t, manifests);
      assert.ok(podOf(manifests, 'web').config.includes(`proxy = "${engine}"`));
      const count = (kind: string) => manifests.filter((manifest) => manifest.kind === kind).length;
      assert.deepEqual(
        ['Deployment', 'Service', 'PodDisruptionBudget', 'HorizontalPodAutoscaler', 'Namespace'].map(count),
        [2, 2, 2, 2, 1],
      );
      assert.equal(count('Role') + count('RoleBinding') + count('ServiceAccount'), name === 'kubernetes' ? 3 : 0);
      const app = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'shop-app');
      assert.equal(app?.spec?.clusterIP, 'None');
    });
  }
});

describe('an overlay of the manifests', { skip: missing('kustomization') || NO_PACKAGES }, () => {
  it('moves all of them to another namespace, with another image', (t) => {
    const overlay =
      'namespace: other\nresources: [../kubernetes]\nimages: [{ name: registry.example/shop, newTag: "7" }]\n';
    const project = makeProject(t, { 'overlay/kustomization.yaml': overlay });
    cpSync(join(DEPLOY, 'kubernetes'), join(project, 'kubernetes'), { recursive: true });
    const manifests = manifestsOf(runTool('kustomization', join(project, 'overlay')));
    checkReferences(manifests);
    for (const { kind, metadata, subjects = [] } of manifests) {
      assert.equal(kind === 'Namespace' ? metadata.name : metadata.namespace, 'other');
      for (const { namespace } of subjects) assert.equal(namespace, 'other');
    }
    for (const role of ['app', 'web']) assert.equal(podOf(manifests, role).main.image, 'registry.example/shop:7');
  });
});

describe('the chart for Helm', { skip: missing('helm') || NO_PACKAGES, concurrency: 2 }, () => {
  it('passes helm lint, and has the version of Viaduct', () => {
    const chart = join(DEPLOY, 'helm/viaduct');
    runTool('helm', 'lint', '--strict', chart);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.match(readFileSync(join(chart, 'Chart.yaml'), 'utf8'), new RegExp(`^appVersion: "${version}"$`, 'm'));
  });

  for (const values of [
    [],
    ['app.target=shop.wsgi:application', 'app.env[0].name=A', 'app.env[0].value=b', 'web.service.type=LoadBalancer'],
    ['app.autoscaling.maxReplicas=0', 'web.autoscaling.maxReplicas=0', 'gracefulSeconds=120', 'preStopSeconds=20'],
    ['web.discovery=srv', 'web.clusterDomain=cluster.example', 'web.trustedProxies={private}'],
    ['web.ingress.host=shop.example', 'web.ingress.className=nginx', 'web.ingress.tlsSecret=shop-tls'],
    ['imagePullSecrets[0].name=registry', 'nodeSelector.disk=ssd', 'tolerations[0].operator=Exists'],
    [
      'web.routes=[[route]]\npath = "/old"\nredirect = "/new"\n',
      'web.balance=hash',
      'app.trustedProxies={10.1.0.0/16}',
    ],
  ]) {
    it(`makes valid manifests with ${values.length === 0 ? 'its own values' : JSON.stringify(values.join(' '))}`, async (t) => {
      await checkPods(t, manifestsOf(renderChart(...values)));
    });
  }

  it('allows every balancer of Viaduct, and no others', () => {
    const schema = JSON.parse(readFileSync(join(DEPLOY, 'helm/viaduct/values.schema.json'), 'utf8')) as {
      properties: { web: { properties: { balance: { enum: string[] } } } };
    };
    const { enum: balancers } = schema.properties.web.properties.balance;
    for (const balance of balancers) assert.equal(proxyOptions.parse({ balance }).balance, balance);
    assert.equal(proxyOptions.safeParse({ balance: 'best' }).success, false);
  });

  for (const value of [
    'web.balance=best',
    'web.discovery=guess',
    'web.service.port=0',
    'web.service.type=Magic',
    'web.ingress.hots=a',
    'app.replicas=0',
    'app.workes=2',
    'app.workers=many',
    'app.autoscaling.cpuPercent=200',
    'gracefulSeconds=-1',
    'image.tag=',
  ]) {
    it(`refuses ${value}`, () => {
      const chart = join(DEPLOY, 'helm/viaduct');
      const { status, output } = tryTool('helm', 'template', 'shop', chart, '--kube-version', '1.30', '--set', value);
      assert.notEqual(status, 0);
      assert.match(output, /values don't meet the specifications/);
    });
  }
});

/** The parts of the Nomad job that the tests check. */
interface Job {
  readonly TaskGroups: readonly {
    readonly Name: string;
    readonly Count: number;
    readonly ShutdownDelay: number;
    readonly Services: readonly { readonly Name: string; readonly Checks: readonly { readonly Type: string }[] }[];
    readonly Tasks: readonly {
      readonly KillTimeout: number;
      readonly Config: { readonly image: string; readonly args: readonly string[] };
      readonly Templates: readonly { readonly DestPath: string; readonly EmbeddedTmpl: string }[];
    }[];
  }[];
}

describe('the job for Nomad', { skip: missing('job') }, () => {
  const path = join(DEPLOY, 'nomad/viaduct.nomad.hcl');

  it('is valid for Nomad, with command lines and configurations that are valid for Viaduct', async (t) => {
    const { TaskGroups } = JSON.parse(runTool('job', path, 'image=registry.example/other:2')) as Job;
    assert.deepEqual(
      TaskGroups.map(({ Name, Count, Services }) => [Name, Count, Services[0]?.Name, Services[0]?.Checks[0]?.Type]),
      [
        ['app', 3, 'shop-app', 'http'],
        ['web', 2, 'shop-web', 'http'],
      ],
    );
    for (const { Name, Tasks, ShutdownDelay } of TaskGroups) {
      const { Config, Templates, KillTimeout } = Tasks[0] ?? assert.fail('no task');
      const { role, flags } = parseCommandLine(Config.args);
      assert.equal(role, Name);
      assert.equal(Config.image, 'registry.example/other:2');
      assert.equal(flags.get('config'), `/${Templates[0]?.DestPath}`);
      assert.ok(KillTimeout / 1e6 > SETTINGS.gracefulTimeoutMs.default && ShutdownDelay > 0);
      await assertAccepted(t, role as 'app' | 'web', Templates[0]?.EmbeddedTmpl ?? '');
    }
    const web = TaskGroups[1]?.Tasks[0]?.Templates[0]?.EmbeddedTmpl ?? '';
    assert.match(web, /proxy = "srv\+http:\/\/shop-app\.service\.consul"/);
  });

  it('is read strictly: a wrong word is an error', (t) => {
    const misspelled = readFileSync(path, 'utf8').replace('count = 3', 'cuont = 3');
    const project = makeProject(t, { 'wrong.nomad.hcl': misspelled });
    assert.match(tryTool('job', join(project, 'wrong.nomad.hcl')).output, /"cuont" is not expected here/);
  });
});
