import type { ConfigBuilder, Value } from '../config-builder.ts';
import type { ImportReport } from '../import-report.ts';
import { expressionOf } from './expression.ts';
import { bytesOf } from './model/bytes.ts';
import { parseTemplate } from './model/template.ts';
import { fill, type Values } from './placeholders.ts';
import type { Directive } from './tree.ts';

/** What the flags of nginx set. */
const FLAGS: Readonly<Record<string, readonly [key: string, value: Value]>> = {
  secure: ['secure', true],
  nosecure: ['secure', false],
  httponly: ['http_only', true],
  nohttponly: ['http_only', false],
  'samesite=strict': ['same_site', 'strict'],
  'samesite=lax': ['same_site', 'lax'],
  'samesite=none': ['same_site', 'none'],
  nosamesite: ['same_site', 'off'],
};

/** Carries over `proxy_cookie_flags`. In both servers the first one for a cookie counts. */
export function writeCookieFlags(
  options: ConfigBuilder,
  directives: readonly Directive[],
  values: Values,
  report: ImportReport,
): void {
  if (directives.some(({ args }) => args[0] === 'off')) return;
  for (const directive of directives) {
    const [cookie = '', ...flags] = directive.args;
    const found = cookiesOf(cookie, values);
    const unknown = flags.find((flag) => !Object.hasOwn(FLAGS, flag.toLowerCase()));
    if ('wrong' in found) report.lost(directive, found.wrong);
    else if (unknown !== undefined) report.lost(directive, `${unknown} is not a flag that is known in advance`);
    else {
      const set = flags.map((flag) => FLAGS[flag.toLowerCase()] as readonly [string, Value]);
      options.push('cookie_flags', { ...found, ...Object.fromEntries(set) }, directive);
    }
  }
}

/** The cookies that a directive names: a name with variables, or a pattern in any letter case. */
function cookiesOf(text: string, values: Values): { readonly wrong: string } | { readonly [key: string]: string } {
  if (text.startsWith('~')) {
    const expression = expressionOf(text.slice(1), true);
    return 'wrong' in expression ? { wrong: expression.wrong } : { pattern: expression.source };
  }
  const filled = fill(parseTemplate(bytesOf(text)), values);
  if ('unknown' in filled) return { wrong: `${filled.unknown} has no counterpart` };
  return filled.text === '' ? { wrong: 'no cookie has an empty name' } : { name: filled.text };
}
