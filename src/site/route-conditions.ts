import { ViaductError } from '../errors.ts';
import type { Request } from '../http/message.ts';
import { bytesOf, textOf } from '../placeholders/bytes.ts';
import { fillTemplate, isPlain, parseTemplate } from '../placeholders/template.ts';
import type { Condition } from '../routing/conditions.ts';
import { Pattern } from '../routing/pattern.ts';
import type { RouteContext } from './route-context.ts';
import type { RouteConfig } from './schema/site.ts';

type Comparison = RouteConfig['when'][string];

/** The conditions of a route on texts with placeholders. */
export function conditionsOf(route: RouteConfig, { keys, errors, placeholders }: RouteContext): Condition[] {
  return Object.entries(route.when).flatMap(([text, comparison]) => {
    const made = errors.attempt([...keys, 'when', text], () => {
      const template = parseTemplate(bytesOf(text), placeholders, { setting: 'when' });
      if (isPlain(template)) {
        throw new ViaductError('SETTINGS', `Cannot compare ${JSON.stringify(text)}: it has no placeholder`, {
          advice: 'Write a placeholder, such as {header.User-Agent}.',
        });
      }
      const tests = comparisons(comparison);
      if (tests.length === 0) throw new ViaductError('SETTINGS', 'Write is, not, pattern or not_pattern');
      const textOfRequest = (request: Request): string => fillTemplate(template, request);
      return tests.map(
        ({ words, holds }): Condition => ({
          text: `${text} ${words}`,
          test: (request) => holds(textOfRequest(request)),
        }),
      );
    });
    return made ?? [];
  });
}

/** A comparison with a value, and the words that follow the value in a sentence. */
interface Test {
  readonly words: string;
  readonly holds: (value: string) => boolean;
}

function comparisons({ is, not, pattern, not_pattern: notPattern }: Comparison): Test[] {
  const tests: Test[] = [];
  if (is !== undefined) tests.push(isOneOf(is));
  if (not !== undefined) {
    const { words, holds } = isOneOf(not);
    tests.push({ words: words.replace(/^is /, 'is not '), holds: (value) => !holds(value) });
  }
  if (pattern.length > 0) tests.push(matchesOneOf(pattern));
  if (notPattern.length > 0) {
    const { words, holds } = matchesOneOf(notPattern);
    tests.push({ words: words.replace(/^matches/, 'does not match'), holds: (value) => !holds(value) });
  }
  return tests;
}

/** `*` stands for any value, and an empty text for none. */
function isOneOf(texts: readonly string[]): Test {
  const values = new Set(texts.map(bytesOf));
  const words = texts.map((text) => (text === '*' ? 'present' : text === '' ? 'absent' : JSON.stringify(text)));
  return {
    words: `is ${words.join(' or ')}`,
    holds: values.has('*') ? (value) => value !== '' || values.has('') : (value) => values.has(value),
  };
}

function matchesOneOf(sources: readonly string[]): Test {
  const patterns = sources.map((source) => new Pattern(source, 'when'));
  return {
    words: `matches ${sources.join(' or ')}`,
    holds: (value) => {
      const text = textOf(value);
      return patterns.some((pattern) => pattern.test(text));
    },
  };
}
