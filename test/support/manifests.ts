import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { PYTHON_WITH_PACKAGES } from './viaduct.ts';

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels: Labels;
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly securityContext: unknown;
  readonly resources: { readonly requests?: unknown };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface Pod {
  readonly containers: readonly Container[];
  readonly terminationGracePeriodSeconds: number;
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext: unknown;
  readonly topologySpreadConstraints: readonly { readonly labelSelector: Selector }[];
  readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
}

/** The parts of a Kubernetes object that the tests check. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
  readonly spec?: {
    readonly clusterIP?: string;
    readonly selector?: Selector & Labels;
    readonly podSelector?: Selector;
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    readonly ingress?: readonly { readonly from: readonly { readonly podSelector: Selector }[] }[];
    readonly rules?: readonly {
      readonly http: {
        readonly paths: readonly { readonly backend: { readonly service: { readonly name: string } } }[];
      };
    }[];
  };
}

/** Validates YAML with the schemas of Kubernetes, and returns its objects. */
export function manifestsOf(yaml: string): Manifest[] {
  const script = `import sys, json, yaml, kubernetes_validate as k
objects = [o for o in yaml.safe_load_all(sys.stdin) if o]
for o in objects: k.validate(o, "1.30", strict=True)
print(json.dumps(objects))`;
  const options = { input: yaml, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(PYTHON_WITH_PACKAGES ?? '', ['-c', script], options);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Manifest[];
}

/** The pod of a component, `app` or `web`, its container, and the configuration that it mounts. */
export function podOf(
  manifests: readonly Manifest[],
  component: string,
): { pod: Pod; main: Container; config: string } {
  const template = manifests
    .map(({ spec }) => spec?.template)
    .find((candidate) => candidate?.metadata.labels['app.kubernetes.io/component'] === component);
  assert.ok(template !== undefined, component);
  const { spec: pod } = template;
  const main = pod.containers[0];
  assert.ok(main !== undefined && pod.containers.length === 1);
  const name = pod.volumes.find(({ configMap }) => configMap !== undefined)?.configMap?.name ?? '';
  const map = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
  return { pod, main, config: map?.data?.['viaduct.toml'] ?? assert.fail(`no ConfigMap ${name}`) };
}

/** Asserts that each name of an object, a label or a port refers to one that exists. Schemas do not check this. */
export function checkReferences(manifests: readonly Manifest[]): void {
  const deployments = manifests.flatMap(({ kind, spec }) => (kind === 'Deployment' && spec?.template ? [spec] : []));
  const pods = deployments.flatMap(({ template }) => (template === undefined ? [] : [template]));
  const selected = (labels: Labels | undefined) =>
    pods.filter(({ metadata }) => Object.entries(labels ?? { none: '' }).every(([k, v]) => metadata.labels[k] === v));
  const exists = (kind: string, name: string | undefined) =>
    manifests.some((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  for (const { selector } of deployments) assert.equal(selected(selector?.matchLabels).length, 1);
  for (const { spec } of pods)
    for (const { labelSelector } of spec.topologySpreadConstraints)
      assert.equal(selected(labelSelector.matchLabels).length, 1);
  for (const { kind, metadata, spec, roleRef, subjects = [] } of manifests) {
    const where = `${kind} ${metadata.name}`;
    if (kind === 'Service') {
      const of = selected(spec?.selector);
      assert.equal(of.length, 1, where);
      const names = of[0]?.spec.containers.flatMap(({ ports }) => ports.map(({ name }) => name)) ?? [];
      for (const { targetPort } of spec?.ports ?? []) assert.ok(names.includes(targetPort), where);
    }
    if (kind === 'PodDisruptionBudget') assert.equal(selected(spec?.selector?.matchLabels).length, 1, where);
    if (kind === 'HorizontalPodAutoscaler')
      assert.ok(exists(spec?.scaleTargetRef?.kind ?? '', spec?.scaleTargetRef?.name), where);
    if (kind === 'NetworkPolicy') {
      const peers = (spec?.ingress ?? []).flatMap(({ from }) => from.map(({ podSelector }) => podSelector));
      for (const selector of [spec?.podSelector, ...peers])
        assert.equal(selected(selector?.matchLabels).length, 1, where);
    }
    if (kind === 'Ingress')
      for (const { http } of spec?.rules ?? [])
        for (const { backend } of http.paths) assert.ok(exists('Service', backend.service.name), where);
    if (roleRef !== undefined) assert.ok(exists(roleRef.kind, roleRef.name), where);
    for (const subject of subjects) {
      const account = manifests.find((other) => other.kind === subject.kind && other.metadata.name === subject.name);
      assert.ok(account !== undefined, where);
      assert.ok(subject.namespace, `${where}: Kubernetes takes no account without a namespace`);
      assert.equal(subject.namespace, account.metadata.namespace ?? subject.namespace, where);
    }
  }
}
