import { Response } from '../../http/response.ts';

export function json(status: number, value: unknown): Response {
  const body = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  return Response.fromHeaders(status, ['Content-Type', 'application/json', 'Cache-Control', 'no-store'], body);
}

/** The answer to a request that cannot be fulfilled. `error` is a sentence. */
export function failed(status: number, error: string): Response {
  return json(status, { error });
}

export function notAllowed(allow: string): Response {
  const body = Buffer.from(`${JSON.stringify({ error: 'The method is not allowed' }, null, 2)}\n`);
  return Response.fromHeaders(405, ['Content-Type', 'application/json', 'Allow', allow], body);
}
