import type { Directive } from '../tree.ts';
import type { Condition, Instruction, Level } from './model.ts';
import { parsePattern } from './pattern.ts';
import { parseTemplate } from './template.ts';

/** Makes the level of an `if` in a location. Null in a server. */
type BuildLevel = ((directive: Directive) => Level) | null;

/** The directives of the rewrite module in a block, in their order. */
export function buildInstructions(block: readonly Directive[], levelOf: BuildLevel): Instruction[] {
  return block.flatMap((directive) => instructionOf(directive, levelOf) ?? []);
}

function instructionOf(directive: Directive, levelOf: BuildLevel): Instruction | null {
  const statement = directive;
  const [first = '', second = ''] = directive.args;
  switch (directive.name) {
    case 'break':
      return { kind: 'break', statement };
    case 'set':
      return { kind: 'set', statement, name: first.replace(/^\$/, ''), value: parseTemplate(second) };
    case 'return':
      return returnOf(directive);
    case 'rewrite':
      return rewriteOf(directive);
    case 'if':
      return {
        kind: 'if',
        statement,
        condition: conditionOf(directive.args),
        level: levelOf?.(directive) ?? null,
        // biome-ignore lint/suspicious/noThenProperty: the word of the language; nothing awaits an instruction
        then: buildInstructions(directive.block ?? [], levelOf),
      };
    default:
      return null;
  }
}

function returnOf(directive: Directive): Instruction {
  const [first = '', second] = directive.args;
  const statement = directive;
  if (/^(?:https?:\/\/|\$scheme)/.test(first) && second === undefined)
    return { kind: 'return', statement, status: 302, text: parseTemplate(first) };
  const text = second === undefined ? null : parseTemplate(second);
  return { kind: 'return', statement, status: Number(first), text };
}

function rewriteOf(directive: Directive): Instruction {
  const [source = '', target = '', flag = ''] = directive.args;
  const isUrl = /^(?:https?:\/\/|\$scheme)/.test(target);
  const redirect = flag === 'permanent' ? 301 : flag === 'redirect' || isUrl ? 302 : null;
  return {
    kind: 'rewrite',
    statement: directive,
    pattern: parsePattern(source, false),
    replacement: parseTemplate(target.replace(/\?$/, '')),
    redirect,
    staysHere: flag === 'break',
    ends: flag !== '' || isUrl,
    keepsArguments: !target.endsWith('?'),
  };
}

function conditionOf(args: readonly string[]): Condition {
  const words = [...args];
  words[0] = (words[0] ?? '').replace(/^\(/, '');
  if (words[0] === '') words.shift();
  words.push((words.pop() ?? '').replace(/\)$/, ''));
  if (words.length > 1 && words.at(-1) === '') words.pop();
  const [left = '', operator = '', right = ''] = words;
  const path = /^(!?)-([fde])$/.exec(left);
  if (path !== null && words.length === 2) {
    const is = path[2] as 'f' | 'd' | 'e';
    return { kind: 'path', path: parseTemplate(operator), is, negated: path[1] === '!' };
  }
  const value = parseTemplate(left);
  if (words.length === 1) return { kind: 'true', value };
  if (operator === '=' || operator === '!=')
    return { kind: 'equal', value, to: parseTemplate(right), negated: operator === '!=' };
  if (/^!?~\*?$/.test(operator)) {
    const pattern = parsePattern(right, operator.endsWith('*'));
    return { kind: 'match', value, pattern, negated: operator.startsWith('!') };
  }
  return { kind: 'opaque', reason: `if (${words.join(' ')})` };
}
