import type { Discovery, DiscoveryOptions } from './discovery.ts';
import { type EndpointSliceList, EndpointSlices, type WatchEvent } from './endpoint-slices.ts';
import { getJson, type KubernetesAccess, KubernetesError } from './kubernetes-api.ts';

export interface KubernetesOptions extends DiscoveryOptions {
  readonly access: KubernetesAccess;
  readonly namespace: string;
  readonly service: string;
  /** A port's name or number. */
  readonly port: string;
  /** After a failure it is asked again so much later, and twice as late each further time, up to `retryMsMax`. */
  readonly retryMs: number;
  readonly retryMsMax: number;
}

/** Changes that come within this time are told together. */
const TOGETHER_MS = 250;
/** The API ends a watch by itself some time after that. */
const WATCH_S = 300;
const LIST_IDLE_MS = 30_000;
const PAGE = 500;
const GONE = 410;

/** The ready endpoints of a service, from its EndpointSlices: they are listed once, then watched (Kubernetes API concepts, "Efficient detection of changes"). */
export function kubernetesDiscovery(options: KubernetesOptions): Discovery {
  const { access, namespace, service, port, backendAt, onError, retryMs, retryMsMax } = options;
  const slices = new EndpointSlices(port, backendAt);
  const abort = new AbortController();
  const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}`;
  let telling: NodeJS.Timeout | null = null;
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
    for (const one of lists) slices.addAll(one);
  }

  async function watch(changed: () => void): Promise<void> {
    const from = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_S}&resourceVersion=${slices.version}`;
    await getJson(access, path + from, (WATCH_S + 30) * 1000, abort.signal, (value) => {
      const event = value as WatchEvent;
      if (event.type === 'ERROR')
        throw new KubernetesError(event.object?.code ?? 0, event.object?.message ?? 'an error');
      failures = 0;
      if (slices.apply(event)) changed();
    });
  }

  /** Lists and watches until something fails. */
  async function follow(tell: () => void, changed: () => void): Promise<void> {
    await list();
    failing = false;
    tell();
    while (!abort.signal.aborted) await watch(changed);
  }

  async function run(tell: () => void, changed: () => void): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await follow(tell, changed);
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
    start(found) {
      const tell = (): void => found(slices.backends);
      const changed = (): void => {
        telling ??= setTimeout(() => {
          telling = null;
          if (!abort.signal.aborted) tell();
        }, TOGETHER_MS);
      };
      void run(tell, changed);
    },
    stop() {
      abort.abort();
      if (telling !== null) clearTimeout(telling);
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
