import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SecurityHeadersOptions, securityHeaders } from '../../../src/handlers/headers/security-headers.ts';
import type { HeaderList } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { responseFields } from '../../../src/http/response-fields.ts';
import { pass, requestOf, valuesOf } from '../../support/handler.ts';

const PRESET = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
};
const YEAR_S = 31_536_000;

async function fieldsFor(options: SecurityHeadersOptions, own: HeaderList = [], secure = false): Promise<string[]> {
  const request = requestOf({ peer: { secure } });
  return responseFields((await pass(securityHeaders(options), request, Response.fromHeaders(500, own, null))).response);
}

describe('security headers', () => {
  it('are added to every response without options', async () => {
    deepEqual(await fieldsFor({}), Object.entries(PRESET).flat());
  });

  for (const name of Object.keys(PRESET)) {
    it(`never override ${name} of the application`, async () => {
      const fields = await fieldsFor({}, [name.toLowerCase(), 'own']);
      deepEqual(valuesOf(fields, name), ['own']);
      equal(fields.length, 8);
    });
  }

  it('can be left out one by one, and include configured policies', async () => {
    const fields = await fieldsFor({
      frameOptions: null,
      referrerPolicy: null,
      openerPolicy: 'unsafe-none',
      permissionsPolicy: 'camera=()',
      contentSecurityPolicy: "default-src 'self'",
    });
    deepEqual(fields, [
      ...['X-Content-Type-Options', 'nosniff', 'Cross-Origin-Opener-Policy', 'unsafe-none'],
      ...['Permissions-Policy', 'camera=()', 'Content-Security-Policy', "default-src 'self'"],
    ]);
  });

  it('keep the policy of the application without a second one', async () => {
    const fields = await fieldsFor({ contentSecurityPolicy: "default-src 'self'" }, [
      'Content-Security-Policy',
      'sandbox',
    ]);
    deepEqual(valuesOf(fields, 'Content-Security-Policy'), ['sandbox']);
  });

  const policies: readonly (readonly [policy: string, framed: boolean])[] = [
    ["default-src 'self'; frame-ancestors https://a.example", false],
    ['FRAME-ANCESTORS *', false],
    ["default-src 'self';frame-ancestors 'none'", false],
    ['frame-src https://frame-ancestors.example', true],
    ["default-src 'self'; x-frame-ancestors *", true],
  ];
  for (const [policy, framed] of policies) {
    it(`send ${framed ? 'X-Frame-Options' : 'no X-Frame-Options'} with the policy ${policy}`, async () => {
      const expected = framed ? ['DENY'] : [];
      deepEqual(valuesOf(await fieldsFor({ contentSecurityPolicy: policy }), 'X-Frame-Options'), expected);
      deepEqual(valuesOf(await fieldsFor({}, ['Content-Security-Policy', policy]), 'X-Frame-Options'), expected);
    });
  }

  it('ignore a report-only policy', async () => {
    const fields = await fieldsFor({}, ['Content-Security-Policy-Report-Only', "frame-ancestors 'self'"]);
    deepEqual(valuesOf(fields, 'X-Frame-Options'), ['DENY']);
  });

  const hsts: readonly (readonly [NonNullable<SecurityHeadersOptions['hsts']>, string])[] = [
    [{ maxAgeS: 300 }, 'max-age=300'],
    [{ maxAgeS: 0 }, 'max-age=0'],
    [{ maxAgeS: YEAR_S, includeSubdomains: true }, `max-age=${YEAR_S}; includeSubDomains`],
    [{ maxAgeS: YEAR_S, includeSubdomains: true, preload: true }, `max-age=${YEAR_S}; includeSubDomains; preload`],
  ];
  for (const [options, value] of hsts) {
    it(`send ${value} over https only`, async () => {
      deepEqual(valuesOf(await fieldsFor({ hsts: options }, [], true), 'Strict-Transport-Security'), [value]);
      deepEqual(valuesOf(await fieldsFor({ hsts: options }, [], false), 'Strict-Transport-Security'), []);
      const own = await fieldsFor({ hsts: options }, ['Strict-Transport-Security', 'max-age=1'], true);
      deepEqual(valuesOf(own, 'Strict-Transport-Security'), ['max-age=1']);
    });
  }

  it('are refused at start when they are invalid', () => {
    for (const maxAgeS of [-1, 1.5, Number.NaN]) throws(() => securityHeaders({ hsts: { maxAgeS } }), /max-age/);
    throws(() => securityHeaders({ hsts: { maxAgeS: YEAR_S, preload: true } }), /preload/);
    throws(() => securityHeaders({ hsts: { maxAgeS: 1, preload: true, includeSubdomains: true } }), /preload/);
    throws(() => securityHeaders({ contentSecurityPolicy: "default-src 'self'\r\nX: y" }), /Content-Security-Policy/);
  });
});
