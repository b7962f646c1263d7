import { Response } from '../http/response.ts';

/** The answer where nothing else answers. */
export function notFound(): Response {
  return Response.text(404, 'Not Found\n');
}
