import type { Discovery, DiscoveryOptions } from './discovery.ts';
import { type EndpointSliceList, EndpointSlices, type WatchEvent } from './endpoint-slices.ts';
import { getJson, type KubernetesAccess, KubernetesError } from './kubernetes-api.ts';

export interface KubernetesOptions extends DiscoveryOptions {
  readonly access: KubernetesAccess;
  readonly namespace: string;
  readonly service: string;
  /** Name or number of a port. */
  readonly port: string;
  /** Delay before the next attempt after a failure. It doubles with each failure, up to `retryMsMax`. */
  readonly retryMs: number;
  readonly retryMsMax: number;
}

/** Changes within this time are reported together. */
const SETTLE_MS = 250;
/** The API ends a watch after about this time. */
const WATCH_S = 300;
const LIST_IDLE_MS = 30_000;
const PAGE = 500;
const GONE = 410;

/**
 * Finds the ready endpoints of a service. Its EndpointSlices are listed once, then watched (Kubernetes API concepts,
 * "Efficient detection of changes").
 */
export function kubernetesDiscovery(options: KubernetesOptions): Discovery {
  const { access, namespace, service, port, backendAt, onError, retryMs, retryMsMax } = options;
  const slices = new EndpointSlices(port, backendAt);
  const abort = new AbortController();
  const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}`;
  let reportTimer: NodeJS.Timeout | null = null;
  let failing = false;
  let failures = 0;

  async function list(): Promise<void> {
    let token = '';
    const lists: EndpointSliceList[] = [];
    do {
      const page = `${path}&limit=${PAGE}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
      await getJson(access, page, LIST_IDLE_MS, abort.signal, (value) => lists.push(value as EndpointSliceList));
      token = lists.at(-1)?.metadata?.continue ?? '';
    } while (token !== '');
    slices.clear();
    for (const page of lists) slices.addAll(page);
  }

  async function watch(reportSoon: () => void): Promise<void> {
    const parameters = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_S}&resourceVersion=${slices.version}`;
    await getJson(access, path + parameters, (WATCH_S + 30) * 1000, abort.signal, (value) => {
      const event = value as WatchEvent;
      if (event.type === 'ERROR')
        throw new KubernetesError(event.object?.code ?? 0, event.object?.message ?? 'an error');
      failures = 0;
      if (slices.apply(event)) reportSoon();
    });
  }

  /** Lists and watches until an error occurs. */
  async function follow(report: () => void, reportSoon: () => void): Promise<void> {
    await list();
    failing = false;
    report();
    while (!abort.signal.aborted) await watch(reportSoon);
  }

  async function run(report: () => void, reportSoon: () => void): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await follow(report, reportSoon);
      } catch (error) {
        if (abort.signal.aborted) return;
        if (error instanceof KubernetesError && error.status === GONE) continue;
        if (!failing) onError(`Cannot look up "kubernetes ${namespace}/${service}": ${(error as Error).message}`);
        failing = true;
        failures += 1;
        await pause(Math.min(retryMsMax, retryMs * 2 ** Math.min(failures - 1, 16)) * (0.5 + Math.random() / 2));
      }
    }
  }

  return {
    start(onBackends) {
      const report = (): void => onBackends(slices.backends);
      const reportSoon = (): void => {
        reportTimer ??= setTimeout(() => {
          reportTimer = null;
          if (!abort.signal.aborted) report();
        }, SETTLE_MS);
      };
      void run(report, reportSoon);
    },
    stop() {
      abort.abort();
      if (reportTimer !== null) clearTimeout(reportTimer);
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
