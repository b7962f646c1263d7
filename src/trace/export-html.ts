import { createHash } from 'node:crypto';
import { ViaductError } from '../errors.ts';
import type { TraceDocument } from './document.ts';

/** The built pages: what `index.html`, `app.js` and `app.css` have. */
export interface PageFiles {
  readonly index: string;
  readonly script: string;
  readonly style: string;
}

const SCRIPT_TAG = /[ \t]*<script\b[^>]*\bsrc="assets\/app\.js"[^>]*><\/script>\n?/;
const STYLE_TAG = /<link\b[^>]*\bhref="assets\/app\.css"[^>]*>/;

/**
 * One file of HTML that shows `document` without a server: style, script and data are in it, and its policy (CSP by hash) allows nothing else. Every
 * text of the trace is data: the JSON has no `<`, so that none of it can end its element.
 *
 * @throws ViaductError `WORKER` if `index` does not refer to the files as the built page does
 */
export function exportHtml(document: TraceDocument, { index, script, style }: PageFiles): string {
  if (!SCRIPT_TAG.test(index) || !STYLE_TAG.test(index) || !index.includes('</body>'))
    throw new ViaductError(
      'WORKER',
      'Cannot export the page: its index.html does not load assets/app.js and assets/app.css',
    );
  const code = `\n${safeScript(script)}\n`;
  const css = `\n${style.replaceAll(/<\/(?=style)/gi, '<\\/').replaceAll(/\r\n?/g, '\n')}\n`;
  const data = jsonText(document);
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(code)}`,
    `style-src ${hashOf(css)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types viaduct',
  ].join('; ');
  const body = `<script type="application/json" id="viaduct-trace">${data}</script>\n<script>${code}</script>\n</body>`;
  return index
    .replace(SCRIPT_TAG, '')
    .replace(STYLE_TAG, () => `<style>${css}</style>`)
    .replace(/<head\b[^>]*>/, (tag) => `${tag}\n<meta http-equiv="Content-Security-Policy" content="${policy}">`)
    .replace(/<title>[^<]*<\/title>/, () => `<title>${htmlText(titleOf(document))}</title>`)
    .replace('</body>', () => body);
}

function titleOf({ request, id }: TraceDocument): string {
  return `${request.method} ${request.target} (${id}) · Viaduct`;
}

function htmlText(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON without `<`, which could start `</script>` or `<!--`, and without the line ends that JavaScript once did not allow in texts. */
function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** These texts occur in literals only, where the backslash changes nothing. A parser of HTML would change other line ends, and so the hash. */
function safeScript(script: string): string {
  return script
    .replaceAll(/<(?=\/script)/gi, '\\x3c')
    .replaceAll('<!--', '\\x3c!--')
    .replaceAll(/\r\n?/g, '\n');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
