import { addressListFeature } from '../handlers/auth/address-list.ts';
import { basicAuthFeature } from '../handlers/auth/basic-auth.ts';
import { forwardAuthFeature } from '../handlers/auth/forward-auth.ts';
import { compressionFeature } from '../handlers/compression/compression.ts';
import { corsFeature } from '../handlers/headers/cors.ts';
import { headersFeature } from '../handlers/headers/headers.ts';
import { securityHeadersFeature } from '../handlers/headers/security-headers.ts';
import { serverTimingFeature } from '../handlers/headers/server-timing.ts';
import { bodyLimitFeature } from '../handlers/limits/body-limit.ts';
import { priorityFeature } from '../handlers/limits/priority.ts';
import { rateLimitFeature } from '../handlers/limits/rate-limit.ts';
import { requestLimitFeature } from '../handlers/limits/request-limit.ts';
import { requestTimeoutFeature } from '../handlers/limits/request-timeout.ts';
import { errorPagesFeature } from '../handlers/pages/error-pages.ts';
import { maintenanceFeature } from '../handlers/pages/maintenance.ts';
import { canonicalHostFeature } from '../handlers/rewriting/canonical-host.ts';
import { httpsRedirectFeature } from '../handlers/rewriting/https-redirect.ts';
import { rewriteFeature } from '../handlers/rewriting/rewrite.ts';

/**
 * Every feature, in the order in which a request meets their handlers. A response meets them in the opposite order. So handlers that change responses see all
 * responses, including refusals. Handlers that refuse requests come before handlers that cost more.
 */
export const FEATURES = [
  serverTimingFeature,
  headersFeature,
  securityHeadersFeature,
  compressionFeature,
  httpsRedirectFeature,
  canonicalHostFeature,
  errorPagesFeature,
  maintenanceFeature,
  addressListFeature,
  rateLimitFeature,
  requestLimitFeature,
  corsFeature,
  basicAuthFeature,
  forwardAuthFeature,
  bodyLimitFeature,
  requestTimeoutFeature,
  priorityFeature,
  rewriteFeature,
] as const;

export type Feature = (typeof FEATURES)[number];
export type FeatureName = Feature['key'];

/** The parsed configuration of a feature that is on. */
export type FeatureConfig<N extends FeatureName> = Parameters<Extract<Feature, { readonly key: N }>['create']>[0];

/** The parsed configuration of each feature of a route or of the site. A feature can be missing, or null if it is switched off. */
export type FeatureConfigs = { readonly [N in FeatureName]?: FeatureConfig<N> | null | undefined };
