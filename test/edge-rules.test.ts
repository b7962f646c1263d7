import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from './support/viaduct.ts';

interface Rule {
  readonly rule: string;
  /** What stands in the columns of tests, in Python and in TypeScript. */
  readonly tests: readonly string[];
}

const COLUMNS = 4;
/** No test is named. */
const NONE = '—';

/** The table behind `## Edge rules`. */
function readRules(): readonly Rule[] {
  const text = readFileSync(join(ROOT, 'docs/wsgi.md'), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith('Edge rules\n')) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => {
    const cells = line.slice(1, -1).split('|');
    assert.equal(cells.length, COLUMNS, line);
    const [rule = '', , ...tests] = cells.map((cell) => cell.trim());
    return { rule, tests };
  });
}

/** Files and titles that a cell names. */
function namesIn(cell: string): readonly (readonly [file: string, title: string])[] {
  if (cell === NONE) return [];
  return cell.split('<br>').map((name) => {
    const [, file, title] = /^`([\w./-]+): (.+)`$/.exec(name.trim()) ?? [];
    assert.ok(file !== undefined && title !== undefined, `${name} is not "file: title"`);
    return [file, title];
  });
}

/** Whether a file of tests has one with this title, in which `…` stands for what the file computes. */
function hasTest(file: string, title: string): boolean {
  const path = join(ROOT, 'test', file);
  if (!existsSync(path)) return false;
  const [start, end, varying] = file.endsWith('.py')
    ? ['^ *def ', '\\(', '\\w+']
    : ['^ *(?:it|test)\\(\\s*([\'"`])', '\\1,', '\\$\\{[^}]+\\}(?:\\s?\\$\\{[^}]+\\})*'];
  const pattern = title
    .split('…')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join(varying);
  return new RegExp(start + pattern + end, 'm').test(readFileSync(path, 'utf8'));
}

describe('the edge rules in docs/wsgi.md', () => {
  const rules = readRules();

  it('are a table of rules, each with a test in Python', () => {
    assert.ok(rules.length >= 20, `${rules.length} rules`);
    for (const { rule, tests } of rules) assert.notDeepEqual(namesIn(tests[0] as string), [], rule);
  });

  it('name tests that exist', () => {
    const missing = rules.flatMap(({ rule, tests }) =>
      tests.flatMap(namesIn).flatMap(([file, title]) => (hasTest(file, title) ? [] : [`${rule}: ${file}: ${title}`])),
    );
    assert.deepEqual(missing, []);
  });

  it('differ from those that do not exist', () => {
    const file = 'system/wsgi.test.ts';
    const title = 'answers 500 when it is called twice without exc_info';
    assert.equal(hasTest(file, title), true);
    assert.equal(hasTest(file, title.slice(0, -1)), false);
    assert.equal(hasTest(file, `${title} …`), false);
    assert.equal(hasTest('system/none.test.ts', title), false);
    assert.equal(hasTest('python/test_call.py', 'test_is_cut_to_its_declared'), false);
  });
});
