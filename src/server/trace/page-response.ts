import { ownPagePolicy } from '../../handlers/pages/own-page-policy.ts';
import { Response } from '../../http/response.ts';

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

export const SECURITY_FIELDS: readonly string[] = ['Content-Security-Policy', ownPagePolicy("'none'"), ...SECURITY];
/** For a page with a form. */
export const FORM_FIELDS: readonly string[] = ['Content-Security-Policy', ownPagePolicy("'self'"), ...SECURITY];

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
