import { Response } from '../../http/response.ts';
import { headlineOf } from './failure-page.ts';
import { htmlText } from './html-text.ts';

/** The response when the application failed, without details for strangers. */
export function plainError(): Response {
  return Response.text(500, 'Internal Server Error\n');
}

/** In development, the traceback for programs, scripts and terminals. */
export function tracebackText(traceback: string): Response {
  return Response.text(500, `${traceback.trimEnd()}\n`, [
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
  ]);
}

/** In development, the traceback as a page for clients that cannot open the pages about requests. Its headline is the error. */
export function tracebackPage(title: string, traceback: string): Response {
  const headline = headlineOf(traceback);
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${htmlText(headline)}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 2rem 1rem; max-width: 70rem; }
h1 { font-size: 1.1rem; font-weight: 600; margin: 0; opacity: .7; }
h2 { font-size: 1.5rem; margin: .25rem 0 1.5rem; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid #8886; border-radius: .5rem; font: 14px/1.5 ui-monospace, monospace; }
p { opacity: .7; }
</style>
<h1>${htmlText(title)}</h1>
<h2>${htmlText(headline)}</h2>
<pre>${htmlText(traceback)}</pre>
<p>This page is shown in development only. Change a file, and reload.</p>
</html>
`;
  return Response.fromHeaders(
    500,
    ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store'],
    Buffer.from(html),
  );
}
