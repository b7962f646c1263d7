import { ViaductError } from '../../errors.ts';
import { type Handler, mapResponse } from '../../http/handler.ts';
import type { Response } from '../../http/response.ts';
import { responseField } from '../../http/response-fields.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined } from '../options.ts';
import { fieldChange } from './field-rules.ts';

/** Options of `securityHeaders`. */
export interface SecurityHeadersOptions {
  /** Value of `Content-Security-Policy`; null for none, the default. */
  readonly contentSecurityPolicy?: string | null;
  /** Value of `X-Frame-Options`; null for none. It is not sent if a Content-Security-Policy has `frame-ancestors`. */
  readonly frameOptions?: 'DENY' | 'SAMEORIGIN' | null;
  /** Value of `Referrer-Policy`; null for none. */
  readonly referrerPolicy?: string | null;
  /** Value of `Cross-Origin-Opener-Policy`; null for none. */
  readonly openerPolicy?: string | null;
  /** Value of `Permissions-Policy`; null for none, the default. */
  readonly permissionsPolicy?: string | null;
  /** `Strict-Transport-Security` over https; null for none, the default. */
  readonly hsts?: HstsOptions | null;
}

/** Value of `Strict-Transport-Security` (RFC 6797 section 6.1). */
export interface HstsOptions {
  /** Seconds for which a browser uses https only. 0 makes it forget. */
  readonly maxAgeS: number;
  /** Whether this holds for all names below the host too. False by default. */
  readonly includeSubdomains?: boolean;
  /** Allows browsers' preload lists to include the host. The lists require at least a year and `includeSubdomains`. */
  readonly preload?: boolean;
}

/**
 * Adds fields that protect a site's users to every response, unless the application set them: `X-Content-Type-Options: nosniff`,
 * `Referrer-Policy: strict-origin-when-cross-origin`, `X-Frame-Options: DENY`, `Cross-Origin-Opener-Policy: same-origin`, and the fields of `options`. HSTS is sent
 * over https only (RFC 6797 section 7.2).
 *
 * @throws ViaductError `SETTINGS` for invalid HSTS options, `HEADER_INVALID` for a value that cannot be sent
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): Handler {
  const { contentSecurityPolicy = null, hsts = null, frameOptions = FRAME_OPTIONS, permissionsPolicy = null } = options;
  const { referrerPolicy = REFERRER_POLICY, openerPolicy = OPENER_POLICY } = options;
  const frame = contentSecurityPolicy !== null && FRAME_ANCESTORS.test(contentSecurityPolicy) ? null : frameOptions;
  const fields: [string, string | null][] = [
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', referrerPolicy],
    ['Cross-Origin-Opener-Policy', openerPolicy],
    ['Permissions-Policy', permissionsPolicy],
    ['Content-Security-Policy', contentSecurityPolicy],
  ];
  const plain = changesFor(fields, frame);
  const secure = hsts === null ? plain : changesFor([...fields, [HSTS, hstsValue(hsts)]], frame);

  return function securityHeaders(request, next) {
    const { framed, unframed } = request.peer.secure ? secure : plain;
    return mapResponse(next(request), (response) => (decidesFraming(response) ? unframed(response) : framed(response)));
  };
}

/** `security_headers` in a configuration. */
export const securityHeadersFeature = describeFeature({
  key: 'security_headers',
  scope: 'site',
  description: 'Adds fields that protect the users of a site, where the application did not set them.',
  page: 'handlers.md#security_headers',
  schema: ({ z, feature, bool, table, whole, words }) => {
    const value = words('the value of a field');
    const optional = z.union([value, z.literal(false)], 'must be the value of a field, or false for none');
    return feature({
      content_security_policy: value.optional().describe('Value of Content-Security-Policy.'),
      frame_options: z
        .union([z.literal('DENY'), z.literal('SAMEORIGIN'), z.literal(false)], 'must be DENY, SAMEORIGIN or false')
        .default(FRAME_OPTIONS)
        .describe('Value of X-Frame-Options. It is left out where a Content-Security-Policy has frame-ancestors.'),
      referrer_policy: optional.default(REFERRER_POLICY).describe('Value of Referrer-Policy.'),
      opener_policy: optional.default(OPENER_POLICY).describe('Value of Cross-Origin-Opener-Policy.'),
      permissions_policy: value.optional().describe('Value of Permissions-Policy.'),
      hsts: table({
        max_age_s: whole(0, 10 * 31_536_000).describe('How many seconds a browser uses only https. 0 makes it forget.'),
        include_subdomains: bool().default(false).describe('Whether this holds for all names below the host too.'),
        preload: bool()
          .default(false)
          .describe("Whether browsers' preload lists may have the host. This needs a year and the subdomains."),
      })
        .optional()
        .describe('Strict-Transport-Security, which is sent over https only.'),
    });
  },
  create: ({ content_security_policy, frame_options, referrer_policy, opener_policy, permissions_policy, hsts }) =>
    securityHeaders(
      omitUndefined({
        contentSecurityPolicy: content_security_policy,
        frameOptions: frame_options || null,
        referrerPolicy: referrer_policy || null,
        openerPolicy: opener_policy || null,
        permissionsPolicy: permissions_policy,
        hsts:
          hsts === undefined
            ? undefined
            : { maxAgeS: hsts.max_age_s, includeSubdomains: hsts.include_subdomains, preload: hsts.preload },
      }),
    ),
});

const FRAME_OPTIONS = 'DENY';
const REFERRER_POLICY = 'strict-origin-when-cross-origin';
const OPENER_POLICY = 'same-origin';
const HSTS = 'Strict-Transport-Security';
const FRAME_ANCESTORS = /(?:^|[;,])\s*frame-ancestors(?:\s|$)/i;
/** The minimum of the list at hstspreload.org. */
const PRELOAD_MAX_AGE_MIN_S = 31_536_000;

function changesFor(fields: readonly [string, string | null][], frame: string | null) {
  const present = fields.flatMap(([name, value]) => (value === null ? [] : [name, value]));
  return {
    unframed: fieldChange({ defaults: present }),
    framed: fieldChange({ defaults: frame === null ? present : [...present, 'X-Frame-Options', frame] }),
  };
}

/** Whether the application itself says who may frame it: frame-ancestors replaces X-Frame-Options (CSP level 3, section 6.4.2). */
function decidesFraming(response: Response): boolean {
  if (!/frame-ancestors/i.test(response.lines)) return false;
  const policy = responseField(response, 'content-security-policy');
  return policy !== null && FRAME_ANCESTORS.test(policy);
}

function hstsValue({ maxAgeS, includeSubdomains = false, preload = false }: HstsOptions): string {
  if (!Number.isSafeInteger(maxAgeS) || maxAgeS < 0) {
    throw new ViaductError('SETTINGS', `Cannot use HSTS max-age "${maxAgeS}": it is not a number of seconds`);
  }
  if (preload && (!includeSubdomains || maxAgeS < PRELOAD_MAX_AGE_MIN_S)) {
    throw new ViaductError('SETTINGS', `Cannot use HSTS preload with max-age ${maxAgeS}: browsers' lists refuse it`, {
      advice: `Include the subdomains, and set a max-age of ${PRELOAD_MAX_AGE_MIN_S} seconds or more.`,
    });
  }
  return `max-age=${maxAgeS}${includeSubdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}
