import { ViaductError } from '../errors.ts';
import { NO_VALUES, type Placeholder } from '../placeholders/placeholder.ts';
import { type Placeholders, STANDARD_PLACEHOLDERS } from '../placeholders/placeholders.ts';
import { parseTemplate } from '../placeholders/template.ts';
import type { Line } from './answered-request.ts';
import { type Directive, directiveOf, shown } from './log-directives.ts';

/** A directive of Apache: `%h`, `%>s`, `%{Referer}i`, `%!200,304{User-Agent}i`. */
const APACHE = /%(!?)(\d{3}(?:,\d{3})*)?([<>]?)(?:\{([^}]*)\})?(\^?[A-Za-z]{1,2}|.)?/sy;
/** An atom of gunicorn: `%(h)s`, `%({Referer}i)s`. */
const GUNICORN = /%\((?:\{([^}]*)\})?([A-Za-z])\)s/y;

/**
 * Makes the function that writes a line of the access log from a template: Apache's LogFormat (mod_log_config) or gunicorn's
 * access_log_format, both with placeholders such as `{path}`. Values are escaped as Apache does, so no client can forge a line. An absent value is `-`.
 *
 * @throws ViaductError `SETTINGS` for a directive or a placeholder that Viaduct does not have
 */
export function compileLogFormat(template: string, placeholders = STANDARD_PLACEHOLDERS): Line {
  const parts: (string | Directive)[] = [];
  let literal = '';
  for (let at = 0; at < template.length; ) {
    const char = template[at] as string;
    const escaped = char === '\\' ? ESCAPES[template[at + 1] ?? ''] : undefined;
    if (escaped !== undefined || template.startsWith('%%', at)) {
      literal += escaped ?? '%';
      at += 2;
    } else if (char !== '%') {
      literal += char;
      at += 1;
    } else {
      const [directive, end] = readDirective(template, at);
      parts.push(...literalParts(literal, placeholders));
      literal = '';
      parts.push(directive);
      at = end;
    }
  }
  parts.push(...literalParts(`${literal}\n`, placeholders));
  return function templateLine(request, status, bodyBytes, ms) {
    let line = '';
    for (const part of parts) line += typeof part === 'string' ? part : part(request, status, bodyBytes, ms);
    return line;
  };
}

/** The text between directives, with its placeholders. */
function literalParts(literal: string, placeholders: Placeholders): (string | Directive)[] {
  const place = { setting: 'access_log_format', moment: 'end' } as const;
  return parseTemplate(literal, placeholders, place).map((piece) =>
    typeof piece === 'string' ? piece : placeholderDirective(piece),
  );
}

function placeholderDirective({ value }: Placeholder): Directive {
  return (request, status, bodyBytes, durationMs) =>
    shown(value(request, { status, lines: request.record.lines, bodyBytes, durationMs }, NO_VALUES));
}

/** The characters after a backslash (Apache's LogFormat). */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\' };

function readDirective(template: string, at: number): [directive: Directive, end: number] {
  if (template[at + 1] === '(') {
    GUNICORN.lastIndex = at;
    const [shown, argument, letter] = GUNICORN.exec(template) ?? [];
    if (shown === undefined || letter === undefined)
      throw unknown(/^%\([^)]*\)?.?/s.exec(template.slice(at))?.[0] ?? '%(');
    return [directiveOf('gunicorn', letter, argument) ?? fail(shown), at + shown.length];
  }
  APACHE.lastIndex = at;
  const [all = '%', not = '', codes, , argument, letters = ''] = APACHE.exec(template) ?? [];
  const letter = letters.startsWith('^') ? letters : letters.slice(0, 1);
  const shown = all.slice(0, all.length - letters.length) + letter;
  const directive = directiveOf('apache', letter, argument) ?? fail(shown);
  const end = at + shown.length;
  return [codes === undefined ? directive : onlyFor(codes.split(',').map(Number), not === '!', directive), end];
}

/** `directive` for the statuses in `codes`, or for all others; else `-`. */
function onlyFor(codes: readonly number[], isNot: boolean, directive: Directive): Directive {
  return (request, status, bodyBytes, ms) =>
    codes.includes(status) === isNot ? '-' : directive(request, status, bodyBytes, ms);
}

function fail(shown: string): never {
  throw unknown(shown);
}

function unknown(shown: string): ViaductError {
  return new ViaductError(
    'SETTINGS',
    `Cannot use ${JSON.stringify(shown)} in access_log_format: there is no such directive`,
    {
      advice: 'docs/logging.md lists the directives. A percent sign is written as %%.',
    },
  );
}
