import { ViaductError } from '../errors.ts';
import type { FeatureContext } from '../handlers/feature.ts';
import { innerRequest, wholeRequest } from '../handlers/inner-request.ts';
import { readAccelTarget } from '../static/accel-target.ts';
import type { RouteContext } from './route-context.ts';

/** See `FeatureContext.answerBy`. */
export function answerBy(target: string, { config, lead }: RouteContext): ReturnType<FeatureContext['answerBy']> {
  if (target.startsWith('@')) {
    if (!config.route.some(({ path }) => path.includes(target)))
      throw new ViaductError('SETTINGS', `Cannot lead to "${target}": no route has this path`);
    return (request, isWhole) => lead(isWhole ? wholeRequest(request) : request, target);
  }
  const inner = readAccelTarget(target);
  if (inner === null) throw new ViaductError('SETTINGS', `Cannot lead to "${target}": it is not a path`);
  return (request, isWhole) => lead(innerRequest(request, inner, { conditions: isWhole, ranges: isWhole }), inner.path);
}
