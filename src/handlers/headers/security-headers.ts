import { ViaductError } from '../../errors.ts';
import { after, type Handler } from '../../http/handler.ts';
import type { Response } from '../../http/response.ts';
import { responseField } from '../../http/response-fields.ts';
import { fieldChange } from './field-rules.ts';

export interface SecurityHeadersOptions {
  /** `Content-Security-Policy`; null, the default, for none. */
  readonly contentSecurityPolicy?: string | null;
  /** `X-Frame-Options`, left out where a Content-Security-Policy has `frame-ancestors`; null for none. */
  readonly frameOptions?: 'DENY' | 'SAMEORIGIN' | null;
  /** `Referrer-Policy`; null for none. */
  readonly referrerPolicy?: string | null;
  /** `Cross-Origin-Opener-Policy`; null for none. */
  readonly openerPolicy?: string | null;
  /** `Permissions-Policy`; null, the default, for none. */
  readonly permissionsPolicy?: string | null;
  /** `Strict-Transport-Security` over https; null, the default, for none. */
  readonly hsts?: HstsOptions | null;
}

export interface HstsOptions {
  /** How long a browser speaks https only; 0 makes it forget. */
  readonly maxAgeS: number;
  readonly includeSubdomains?: boolean;
  /** Consent to the list that browsers come with, which wants a year at least and `includeSubdomains`. */
  readonly preload?: boolean;
}

/**
 * Adds the fields that protect a site's users where the application did not set them itself, in every response: `X-Content-Type-Options:
 * nosniff`, `Referrer-Policy: strict-origin-when-cross-origin`, `X-Frame-Options: DENY`, `Cross-Origin-Opener-Policy: same-origin`, and
 * what `options` adds. HSTS goes out over https only (RFC 6797 section 7.2).
 *
 * @throws ViaductError `SETTINGS` for an HSTS that makes no sense, `HEADER_INVALID` for a value that could not be sent.
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): Handler {
  const { contentSecurityPolicy = null, hsts = null, frameOptions = 'DENY', permissionsPolicy = null } = options;
  const { referrerPolicy = 'strict-origin-when-cross-origin', openerPolicy = 'same-origin' } = options;
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
    return after(next(request), (response) => (mayFrame(response) ? unframed(response) : framed(response)));
  };
}

const HSTS = 'Strict-Transport-Security';
const FRAME_ANCESTORS = /(?:^|[;,])\s*frame-ancestors(?:\s|$)/i;
/** Of the list at hstspreload.org. */
const PRELOAD_MAX_AGE_MIN_S = 31_536_000;

function changesFor(fields: readonly [string, string | null][], frame: string | null) {
  const present = fields.flatMap(([name, value]) => (value === null ? [] : [name, value]));
  return {
    unframed: fieldChange({ defaults: present }),
    framed: fieldChange({ defaults: frame === null ? present : [...present, 'X-Frame-Options', frame] }),
  };
}

/** The application says itself who may frame it, and says it better (CSP level 3, section 6.4.2). */
function mayFrame(response: Response): boolean {
  if (!/frame-ancestors/i.test(response.lines)) return false;
  const policy = responseField(response, 'content-security-policy');
  return policy !== null && FRAME_ANCESTORS.test(policy);
}

function hstsValue({ maxAgeS, includeSubdomains = false, preload = false }: HstsOptions): string {
  if (!Number.isSafeInteger(maxAgeS) || maxAgeS < 0) {
    throw new ViaductError('SETTINGS', `Cannot use HSTS max_age "${maxAgeS}": it is no number of seconds`);
  }
  if (preload && (!includeSubdomains || maxAgeS < PRELOAD_MAX_AGE_MIN_S)) {
    throw new ViaductError('SETTINGS', `Cannot use HSTS preload with max_age ${maxAgeS}: no browser's list takes it`, {
      advice: `Set include_subdomains, and a max_age of ${PRELOAD_MAX_AGE_MIN_S} or more.`,
    });
  }
  return `max-age=${maxAgeS}${includeSubdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}
