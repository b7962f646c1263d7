import { resolve } from 'node:path';
import { type AccessCheck, satisfyAny } from '../handlers/auth/satisfy-any.ts';
import type { FeatureContext } from '../handlers/feature.ts';
import type { Handler } from '../http/handler.ts';
import { subrequests } from '../proxy/subrequest.ts';
import { answerBy } from './answer-by.ts';
import { FEATURES, type FeatureConfig, type FeatureConfigs, type FeatureName } from './features.ts';
import { backendOf } from './proxy.ts';
import { STATIC_REVALIDATE_MS } from './revalidate.ts';
import type { RouteContext } from './route-context.ts';

/** Idle connections to keep to an authentication service. */
const KEEP_ALIVE_MAX = 16;

/** The factory of each feature by name. The cast repeats the types of the table, which `Object.fromEntries` loses. */
const CREATE = Object.fromEntries(FEATURES.map(({ key, create }) => [key, create])) as {
  readonly [N in FeatureName]: (config: FeatureConfig<N>, context: FeatureContext) => Handler;
};

/** The fields that each feature owns. The cast is as above. */
const OWNS = Object.fromEntries(
  FEATURES.map((feature) => [feature.key, 'owns' in feature ? feature.owns : () => []]),
) as unknown as { readonly [N in FeatureName]: (config: NonNullable<FeatureConfig<N>>) => readonly string[] };

/** The features that check whether a client may come in, in their order. */
const CHECKS: readonly FeatureName[] = ['access', 'basic_auth', 'forward_auth'];

/** Whether a request must pass all checks, or only one. */
export type Satisfy = 'all' | 'any';

/** The handlers of a route: those of its own features, and those of the whole site for features that the route does not have. */
export function featuresOf(
  route: FeatureConfigs,
  site: FeatureConfigs,
  satisfy: Satisfy,
  context: RouteContext,
): Handler[] {
  const handlers: Handler[] = [];
  const checks: AccessCheck[] = [];
  for (const { key } of FEATURES) {
    const config = route[key];
    const handler =
      config === undefined
        ? sharedFeature(key, site[key], { ...context, keys: [key] })
        : createFeature(key, config, { ...context, keys: [...context.keys, key] });
    const isCheck = satisfy === 'any' && CHECKS.includes(key);
    if (handler !== null && isCheck) checks.push({ handler, owns: ownedBy(key, config ?? site[key]) });
    else if (handler !== null) handlers.push(handler);
    if (key === CHECKS.at(-1)) handlers.push(...joined(checks));
  }
  return handlers;
}

/** The checks of which one is enough, as one handler. */
function joined(checks: readonly AccessCheck[]): Handler[] {
  return checks.length > 1 ? [satisfyAny(checks)] : checks.map(({ handler }) => handler);
}

function ownedBy<N extends FeatureName>(name: N, config: FeatureConfigs[N]): readonly string[] {
  return config === undefined || config === null ? [] : OWNS[name](config);
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

function featureContext(context: RouteContext): FeatureContext {
  const { parts, keys, hold, placeholders, zones } = context;
  const base = parts.baseOf(String(keys[0] ?? ''));
  return {
    pathOf: (path) => resolve(base, path),
    pageIn: (path) => parts.disk?.page(resolve(base, path)) ?? { file: resolve(base, path) },
    service: (origin, timeoutMs) => {
      const service = subrequests(backendOf(origin, base), timeoutMs, KEEP_ALIVE_MAX, parts.createClient);
      hold({ stop: () => service.stop(), destroy: () => service.stop() });
      return (question) => service.ask(question);
    },
    answerBy: (target) => answerBy(target, context),
    warn: (problem) => context.warn(`${parts.locate.describe(keys)}: ${problem}`),
    placeholders,
    revalidateMs: parts.dev ? 0 : STATIC_REVALIDATE_MS,
    zones,
    onError: (message) => parts.log.error(message),
  };
}
