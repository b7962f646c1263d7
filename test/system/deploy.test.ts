import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SETTINGS } from '../../src/config/settings.ts';
import { proxyOptions } from '../../src/config/site/proxy.ts';
import { accepted, DEPLOY, missing, renderChart, runTool, tryTool, understood } from '../support/deploy.ts';
import { checkReferences, type Manifest, manifestsOf, podOf } from '../support/manifests.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, ROOT } from '../support/viaduct.ts';

/** Configurations that Viaduct has taken; most values of the chart change nothing in them. */
const taken = new Set<string>();

/** Both kinds of pods hang together, have little rights, get their time to end, and are told what Viaduct understands. */
async function checkPods(t: TestContext, manifests: readonly Manifest[]): Promise<void> {
  checkReferences(manifests);
  for (const role of ['app', 'web'] as const) {
    const { pod, main, config } = podOf(manifests, role);
    const { role: command, flags } = understood(main.args);
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
    assert.ok(main.volumeMounts.some(({ mountPath }) => mountPath === '/tmp'));
    assert.ok(main.resources.requests !== undefined);
    assert.equal(pod.serviceAccountName === undefined, pod.automountServiceAccountToken === false);
    assert.equal(pod.serviceAccountName !== undefined, config.includes('kubernetes+http://'));
    if (!taken.has(config)) await accepted(t, role, config);
    taken.add(config);
  }
  assert.match(podOf(manifests, 'web').main.readinessProbe.httpGet?.path ?? '', /^\/healthz$/);
}

describe('the manifests for Kubernetes', { skip: missing('kustomization') || NO_PACKAGES, concurrency: 2 }, () => {
  for (const [name, found] of [
    ['kubernetes', 'kubernetes+http://shop-app:http'],
    ['kubernetes-srv', 'srv+http://_http._tcp.shop-app.shop.svc.cluster.local'],
  ] as const) {
    it(`of deploy/${name} are valid, hang together and have pods that Viaduct starts in`, async (t) => {
      const manifests = manifestsOf(runTool('kustomization', join(DEPLOY, name)));
      await checkPods(t, manifests);
      assert.ok(podOf(manifests, 'web').config.includes(`proxy = "${found}"`));
      const count = (kind: string) => manifests.filter((one) => one.kind === kind).length;
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
  it('puts all of them into another namespace, with another image', (t) => {
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
  it('is accepted by helm lint, and is of this version', () => {
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

  it('allows the balancers that there are', () => {
    const schema = JSON.parse(readFileSync(join(DEPLOY, 'helm/viaduct/values.schema.json'), 'utf8')) as {
      properties: { web: { properties: { balance: { enum: string[] } } } };
    };
    const { enum: balancers } = schema.properties.web.properties.balance;
    for (const balance of balancers) assert.equal(proxyOptions.parse({ balance }).balance, balance);
    assert.equal(proxyOptions.safeParse({ balance: 'best' }).success, false);
  });

  for (const wrong of [
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
    it(`refuses ${wrong}`, () => {
      const chart = join(DEPLOY, 'helm/viaduct');
      const { status, output } = tryTool('helm', 'template', 'shop', chart, '--kube-version', '1.30', '--set', wrong);
      assert.notEqual(status, 0);
      assert.match(output, /values don't meet the specifications/);
    });
  }
});

/** What of Nomad's job the tests look at. */
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

  it('is one that Nomad takes, with command lines and configurations that Viaduct understands', async (t) => {
    const { TaskGroups } = JSON.parse(runTool('job', path, 'image=registry.example/other:2')) as Job;
    assert.deepEqual(
      TaskGroups.map(({ Name, Count, Services }) => [Name, Count, Services[0]?.Name, Services[0]?.Checks[0]?.Type]),
      [
        ['app', 3, 'shop-app', 'script'],
        ['web', 2, 'shop-web', 'http'],
      ],
    );
    for (const { Name, Tasks, ShutdownDelay } of TaskGroups) {
      const { Config, Templates, KillTimeout } = Tasks[0] ?? assert.fail('no task');
      const { role, flags } = understood(Config.args);
      assert.equal(role, Name);
      assert.equal(Config.image, 'registry.example/other:2');
      assert.equal(flags.get('config'), `/${Templates[0]?.DestPath}`);
      assert.ok(KillTimeout / 1e6 > SETTINGS.gracefulTimeoutMs.default && ShutdownDelay > 0);
      await accepted(t, role as 'app' | 'web', Templates[0]?.EmbeddedTmpl ?? '');
    }
    const web = TaskGroups[1]?.Tasks[0]?.Templates[0]?.EmbeddedTmpl ?? '';
    assert.match(web, /proxy = "srv\+http:\/\/shop-app\.service\.consul"/);
  });

  it('is read so strictly that a wrong word is told', (t) => {
    const wrong = readFileSync(path, 'utf8').replace('count = 3', 'cuont = 3');
    const project = makeProject(t, { 'wrong.nomad.hcl': wrong });
    assert.match(tryTool('job', join(project, 'wrong.nomad.hcl')).output, /"cuont" is not expected here/);
  });
});
