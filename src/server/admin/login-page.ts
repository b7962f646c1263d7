import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { FORM_FIELDS } from '../trace/page-response.ts';
import { readSmallBody } from '../trace/small-body.ts';
import type { AdminToken } from './admin-token.ts';

/** The path to which the form of the page sends the token. */
export const LOGIN_PATH = '/login';

/** The page that asks a person for the token. It needs no script and no file. */
export function loginPage(remark: string): Response {
  return page(401, remark, ['WWW-Authenticate', 'Bearer realm="Viaduct"']);
}

/** Takes the token that somebody typed. */
export async function login(request: Request, token: AdminToken): Promise<Response> {
  const { method, body, peer } = request;
  if (method !== 'POST') return loginPage('');
  const text = await readSmallBody(body);
  const typed = new URLSearchParams(text ?? '').get('token')?.trim() ?? '';
  if (typed !== '' && token.isRight(typed))
    return Response.fromHeaders(303, ['Location', '/', 'Set-Cookie', token.cookie, 'Cache-Control', 'no-store'], null);
  token.failed(peer.remoteAddress);
  return loginPage('This is not the token.');
}

/** The answer to a client that has sent too many wrong tokens. */
export function tooManyTokens(): Response {
  return page(429, 'Too many wrong tokens. Wait a minute.', ['Retry-After', '60']);
}

function page(status: number, remark: string, fields: readonly string[]): Response {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Viaduct</title>
<main>
<h1>Viaduct</h1>
${remark === '' ? '' : `<p role="alert">${remark}</p>\n`}<form method="post" action="${LOGIN_PATH}">
<p><label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button>Open</button></p>
</form>
<p>The server printed the token when it started, or it is in the file of the setting admin_token_file.</p>
</main>
</html>
`;
  const headers = ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store', ...FORM_FIELDS, ...fields];
  return Response.fromHeaders(status, headers, Buffer.from(html));
}
