import { Response } from '../../http/response.ts';

/**
 * What pages and data of the admin side may do in a browser: run the scripts that come with them, and nothing else. `form-action` is for the page
 * that asks for the token.
 */
function policy(formAction: "'none'" | "'self'"): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types viaduct',
  ].join('; ');
}

const SECURITY = [
  'X-Content-Type-Options',
  'nosniff',
  'Cross-Origin-Resource-Policy',
  'same-origin',
  'Cross-Origin-Opener-Policy',
  'same-origin',
  'Referrer-Policy',
  'no-referrer',
];

export const SECURITY_FIELDS: readonly string[] = ['Content-Security-Policy', policy("'none'"), ...SECURITY];
/** For a page with a form. */
export const FORM_FIELDS: readonly string[] = ['Content-Security-Policy', policy("'self'"), ...SECURITY];

/** No more is sent in one answer: the rest of the server needs its memory. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Data as JSON, which no cache keeps. */
export function dataResponse(status: number, value: unknown, fields: readonly string[] = []): Response {
  return content(status, 'application/json', `${JSON.stringify(value)}\n`, fields);
}

/** A file to download. */
export function download(type: string, name: string, text: string): Response {
  return content(200, type, text, ['Content-Disposition', `attachment; filename="${name}"`]);
}

/** The answer to a request that cannot be fulfilled. `error` is a sentence. */
export function problem(status: number, error: string, fields: readonly string[] = []): Response {
  return dataResponse(status, { error }, fields);
}

export function notAllowedHere(allow: string): Response {
  return problem(405, 'The method is not allowed', ['Allow', allow]);
}

function content(status: number, type: string, text: string, fields: readonly string[]): Response {
  const body = Buffer.from(text);
  if (body.length > ANSWER_BYTES_MAX) return problem(507, 'The answer is too long: ask for less');
  const headers = ['Content-Type', type, 'Cache-Control', 'no-store', ...SECURITY_FIELDS, ...fields];
  return Response.fromHeaders(status, headers, body);
}
