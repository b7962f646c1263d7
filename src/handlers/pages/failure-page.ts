import { Response } from '../../http/response.ts';
import { htmlText } from './html-text.ts';
import { ownPagePolicy } from './own-page-policy.ts';

/** A longer one hides what is below it. */
const HEADLINE_CHARS_MAX = 300;

export interface Failure {
  readonly status: number;
  /** What happened, in a few words. */
  readonly title: string;
  /** The error in one line. */
  readonly headline: string;
  /** A traceback, or another text; '' for none. */
  readonly text: string;
  /** The path of the pages that show traces, without a final slash. */
  readonly prefix: string;
  /** The id of the request. */
  readonly id: string;
}

/**
 * A failed request as a page, in development: the script of `ui/failure/` replaces its text by the exception with source and local variables, and
 * the anatomy of the request below it. Without scripts, the text stays. The development bar stays out, because there is no `</body>`.
 */
export function failurePage({ status, title, headline, text, prefix, id }: Failure): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="viaduct-prefix" content="${htmlText(prefix)}">
<meta name="viaduct-failed-request" content="${htmlText(id)}">
<title>${htmlText(headline)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${htmlText(prefix)}/assets/app.css">
<script src="${htmlText(prefix)}/assets/app.js" defer></script>
</head>
<body>
<div id="app">
<main class="failure-text">
<p class="eyebrow">${htmlText(title)}</p>
<h1>${htmlText(headline)}</h1>
${text === '' ? '' : `<pre>${htmlText(text)}</pre>\n`}<p><a href="${htmlText(prefix)}/requests/${htmlText(encodeURIComponent(id))}">All hops of this request</a></p>
<p class="muted">This page is shown in development only.</p>
</main>
</div>
`;
  return Response.fromHeaders(
    status,
    [
      ...['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff'],
      ...['Content-Security-Policy', ownPagePolicy("'none'")],
    ],
    Buffer.from(html),
  );
}

/** The line of a traceback that has the error, shortened: the one behind the last frame in Python, the first one in JavaScript. */
export function headlineOf(traceback: string): string {
  const lines = traceback
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^ {2}\| /, '')); // as Python prints groups of exceptions
  const last = lines.at(-1) ?? '';
  const frame = lines.findLastIndex((line) => line.startsWith('  File "'));
  const behind = lines.slice(frame + 1).find((line) => /^\S/.test(line)) ?? last;
  const line = /^\s+at /.test(last) ? (lines[0] ?? '') : frame < 0 ? last : behind;
  return line.length > HEADLINE_CHARS_MAX ? `${line.slice(0, HEADLINE_CHARS_MAX)}…` : line;
}
