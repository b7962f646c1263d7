import type { ZodOptional } from 'zod';
import { FEATURES, type Feature } from '../features.ts';
import { TOOLS } from './tools.ts';

type ShapeOf<F extends Feature> = { readonly [One in F as One['key']]: ZodOptional<ReturnType<One['schema']>> };

/** The keys of features in a route. `false` switches off a feature of the whole site. */
export const routeFeatures: ShapeOf<Feature> = shapeOf(FEATURES);

/** The keys of features at the top of a file. */
export const siteFeatures: ShapeOf<Extract<Feature, { readonly scope: 'site' }>> = shapeOf(
  FEATURES.filter(({ scope }) => scope === 'site'),
);

function shapeOf<F extends Feature>(features: readonly F[]): ShapeOf<F> {
  const entries = features.map(({ key, schema, description }) => [key, schema(TOOLS).optional().describe(description)]);
  return Object.fromEntries(entries) as ShapeOf<F>;
}
