import { deriveRequest, replaceFields } from '../http/derived-request.ts';
import { FieldNames } from '../http/field-names.ts';
import type { Next } from '../http/handler.ts';
import { withholdTrailers } from '../http/withheld-trailers.ts';
import { FEATURES, type FeatureConfig, type FeatureConfigs, type FeatureName } from './features.ts';

/** The claims of each feature by name. The cast repeats the types of the table, which `Object.fromEntries` loses. */
const CLAIMS = Object.fromEntries(
  FEATURES.map((feature) => [feature.key, 'claims' in feature ? feature.claims : none]),
) as {
  readonly [N in FeatureName]: (config: NonNullable<FeatureConfig<N>>) => readonly string[];
};

/**
 * Returns `next` for requests without the fields that a handler of these tables claims (`FeatureDescriptor.claims`). So a client cannot send a field like
 * `X-Remote-User` to a route that does not ask for a password.
 */
export function withoutClaimedFields(tables: readonly FeatureConfigs[], next: Next): Next {
  const names = new FieldNames(tables.flatMap((table) => FEATURES.flatMap(({ key }) => claimsOf(key, table[key]))));
  if (names.size === 0) return next;

  return function removeClaimedFields(request) {
    const { headers, body } = request;
    for (let i = 0; i < headers.length; i += 2) {
      if (names.has(headers[i] as string)) return next(replaceFields(request, names));
    }
    return next(body === null ? request : deriveRequest(request, { body: withholdTrailers(body, names) }));
  };
}

function claimsOf<N extends FeatureName>(name: N, config: FeatureConfigs[N]): readonly string[] {
  if (config === undefined || config === null) return [];
  return CLAIMS[name](config);
}

function none(): readonly string[] {
  return [];
}
