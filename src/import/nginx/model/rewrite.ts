import { textOf } from './bytes.ts';
import { escapeArgument, unescapeRedirect } from './escape.ts';
import type { Exchange } from './exchange.ts';
import { kindOf } from './files.ts';
import type { Condition, Instruction } from './model.ts';
import { answer } from './respond.ts';
import { type Step, status } from './step.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** Runs the directives of the rewrite module. `end` is where they stop without an answer, null where all have run. */
export function runInstructions(exchange: Exchange, instructions: readonly Instruction[]): Step | 'end' | null {
  for (const instruction of instructions) {
    const result = run(exchange, instruction);
    if (result !== null) return result;
  }
  return null;
}

function run(exchange: Exchange, instruction: Instruction): Step | 'end' | null {
  switch (instruction.kind) {
    case 'break':
      if (exchange.uriChanged) exchange.validLocation = false;
      exchange.uriChanged = false;
      return 'end';
    case 'set':
      return assign(exchange, instruction.name, exchange.evaluate(instruction.value));
    case 'return':
      return answerWith(exchange, instruction);
    case 'rewrite':
      return rewrite(exchange, instruction);
    case 'if':
      if (!holds(exchange, instruction.condition)) return null;
      if (instruction.level !== null) exchange.enterIf(instruction.level);
      return runInstructions(exchange, instruction.then);
  }
}

function assign(exchange: Exchange, name: string, value: string): null {
  if (name === 'args') {
    exchange.args = value;
    exchange.validRequestUri = false;
  } else exchange.assigned.set(name, value);
  return null;
}

function answerWith(exchange: Exchange, { status: code, text }: Instruction & { kind: 'return' }): Step {
  if (code === 444 && text === null) return { to: 'done', outcome: { kind: 'closed' } };
  if (text === null && code >= 400) return status(code);
  const value = exchange.evaluate(text ?? []);
  if ([301, 302, 303, 307, 308].includes(code)) {
    exchange.redirectTo = value;
    return status(code);
  }
  return { to: 'done', outcome: answer(exchange, exchange.errorStatus ?? code, value) };
}

function rewrite(exchange: Exchange, instruction: Instruction & { kind: 'rewrite' }): Step | 'end' | null {
  const { pattern, redirect } = instruction;
  if (!exchange.match(pattern, exchange.uri)) {
    exchange.captures = [];
    return null;
  }
  exchange.isInternal = true;
  exchange.validRequestUri = false;
  // a redirect counts like `break`: what `alias` says about the path is empty in the fields of its response
  const staysHere = instruction.staysHere || redirect !== null;
  exchange.uriChanged = !staysHere;
  if (staysHere) exchange.validLocation = false;
  if (redirect !== null) {
    exchange.redirectTo = redirectTarget(exchange, instruction);
    return status(redirect);
  }
  replaceUri(exchange, instruction);
  if (exchange.uri === '') return status(500);
  return instruction.ends ? 'end' : null;
}

/** Groups are encoded where the URI was: in arguments and redirects. */
function quoting({ isQuoted, hasPlus }: Exchange): (group: string) => string {
  return isQuoted || hasPlus ? escapeArgument : (group) => group;
}

function redirectTarget(
  exchange: Exchange,
  { replacement, keepsArguments }: Instruction & { kind: 'rewrite' },
): string {
  const target = unescapeRedirect(exchange.evaluate(replacement, quoting(exchange)));
  if (!keepsArguments || exchange.args === '') return target;
  const hasArguments = replacement.some((part) => part.kind === 'text' && part.text.includes('?'));
  return `${target}${hasArguments ? '&' : '?'}${exchange.args}`;
}

/** Only a question mark that is written in the replacement starts arguments. */
function replaceUri(exchange: Exchange, { replacement, keepsArguments }: Instruction & { kind: 'rewrite' }): void {
  let uri = '';
  let args: string | null = null;
  for (const part of replacement) {
    const text = exchange.evaluate([part], args === null ? undefined : quoting(exchange));
    const at = part.kind === 'text' && args === null ? text.indexOf('?') : -1;
    if (at >= 0) {
      uri += text.slice(0, at);
      args = text.slice(at + 1);
    } else if (args === null) uri += text;
    else args += text;
  }
  if (args === null) args = keepsArguments ? exchange.args : '';
  else if (keepsArguments && exchange.args !== '') args = `${args}&${exchange.args}`;
  exchange.uri = uri;
  exchange.args = args;
}

function holds(exchange: Exchange, condition: Condition): boolean {
  switch (condition.kind) {
    case 'true': {
      const value = exchange.evaluate(condition.value);
      return value !== '' && value !== '0';
    }
    case 'equal':
      return (exchange.evaluate(condition.value) === exchange.evaluate(condition.to)) !== condition.negated;
    case 'match': {
      const matches = exchange.match(condition.pattern, exchange.evaluate(condition.value));
      if (!matches) exchange.captures = [];
      return matches !== condition.negated;
    }
    case 'path': {
      const kind = kindOf(exchange, exchange.evaluate(condition.path));
      const is = condition.is === 'e' ? kind !== null : kind === (condition.is === 'f' ? 'file' : 'directory');
      return is !== condition.negated;
    }
    case 'opaque':
      throw new UnknownMeaning(textOf(condition.reason));
  }
}
