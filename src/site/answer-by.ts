import { ViaductError } from '../errors.ts';
import type { FeatureContext } from '../handlers/feature.ts';
import { innerRequest, wholeRequest } from '../handlers/inner-request.ts';
import { UrlTarget } from '../handlers/rewriting/url-target.ts';
import type { Request } from '../http/message.ts';
import { namesIn } from '../placeholders/template.ts';
import { readAccelTarget } from '../static/accel-target.ts';
import type { RouteContext } from './route-context.ts';

/** See `FeatureContext.answerBy`. */
export function answerBy(
  target: string,
  { config, lead, placeholders }: RouteContext,
): ReturnType<FeatureContext['answerBy']> {
  if (target.startsWith('@')) {
    if (!config.route.some(({ path }) => path.includes(target)))
      throw new ViaductError('SETTINGS', `Cannot lead to "${target}": no route has this path`);
    return (request, isWhole) => lead(isWhole ? wholeRequest(request) : request, target);
  }
  const url = new UrlTarget(target, 'path', placeholders);
  const notPath = new ViaductError('SETTINGS', `Cannot lead to "${target}": it is not a path`);
  if (url.templates.some(({ isPath }) => !isPath)) throw notPath;
  const constant = namesIn(target).length === 0 ? readAccelTarget(target) : null;
  if (constant === null && namesIn(target).length === 0) throw notPath;
  const targetFor = (request: Request) => constant ?? readAccelTarget(url.fill(request, []) ?? '');
  return (request, isWhole) => {
    const inner = targetFor(request);
    if (inner === null) return null;
    return lead(innerRequest(request, inner, { conditions: isWhole, ranges: isWhole }), inner.path);
  };
}
