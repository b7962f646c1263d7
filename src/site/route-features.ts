import { resolve } from 'node:path';
import type { FeatureContext } from '../handlers/feature.ts';
import type { Handler } from '../http/handler.ts';
import { subrequests } from '../proxy/subrequest.ts';
import { FEATURES, type FeatureConfig, type FeatureConfigs, type FeatureName } from './features.ts';
import { backendOf } from './proxy.ts';
import type { RouteContext } from './route-context.ts';

/** Idle connections to keep to an authentication service. */
const KEEP_ALIVE_MAX = 16;

/** The factory of each feature by name. The cast repeats the types of the table, which `Object.fromEntries` loses. */
const CREATE = Object.fromEntries(FEATURES.map(({ key, create }) => [key, create])) as {
  readonly [N in FeatureName]: (config: FeatureConfig<N>, context: FeatureContext) => Handler;
};

/** The handlers of a route: those of its own features, and those of the whole site for features that the route does not have. */
export function featuresOf(route: FeatureConfigs, site: FeatureConfigs, context: RouteContext): Handler[] {
  const handlers: Handler[] = [];
  for (const { key } of FEATURES) {
    const config = route[key];
    const handler =
      config === undefined
        ? sharedFeature(key, site[key], { ...context, keys: [key] })
        : createFeature(key, config, { ...context, keys: [...context.keys, key] });
    if (handler !== null) handlers.push(handler);
  }
  return handlers;
}

/** A feature of the whole site has one handler for all routes, so that a limit counts all routes together. */
function sharedFeature<N extends FeatureName>(
  name: N,
  config: FeatureConfigs[N],
  context: RouteContext,
): Handler | null {
  const { shared } = context;
  const known = shared.get(name);
  if (known !== undefined) return known;
  const handler = createFeature(name, config, context);
  shared.set(name, handler);
  return handler;
}

/** Null if the feature is off or its options have an error, which is then reported. */
function createFeature<N extends FeatureName>(
  name: N,
  config: FeatureConfigs[N],
  context: RouteContext,
): Handler | null {
  if (config === undefined || config === null) return null;
  return context.errors.attempt(context.keys, () => CREATE[name](config, featureContext(context)));
}

function featureContext({ parts, keys, hold, placeholders }: RouteContext): FeatureContext {
  const base = parts.baseOf(keys[0] ?? '');
  return {
    pathOf: (path) => resolve(base, path),
    service: (origin, timeoutMs) => {
      const service = subrequests(backendOf(origin, base), timeoutMs, KEEP_ALIVE_MAX);
      hold({ stop: () => service.stop(), destroy: () => service.stop() });
      return (question) => service.ask(question);
    },
    placeholders,
    onError: (message) => parts.log.error(message),
  };
}
