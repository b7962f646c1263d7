import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ViaductError } from '../../../src/errors.ts';
import type { Application, Middleware } from '../../../src/wsgi/contract.ts';
import { validator } from '../../../src/wsgi/validator/validator.ts';
import { VIOLATIONS, type Violation, type ViolationName } from '../../../src/wsgi/validator/violation.ts';
import { callApplication, environWith } from '../../support/environ.ts';
import { ROOT } from '../../support/viaduct.ts';
import { BREAKS, type Trial } from './violations.ts';

const NAMES = Object.keys(VIOLATIONS) as ViolationName[];
const ADVICE: readonly ViolationName[] = ['content-type-missing', 'content-type-not-allowed'];

const good: Application = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.from('good')];
};

function trialOf(check: Middleware, lines: string[], isTold: () => boolean): Trial {
  const write = (text: string): void => void lines.push(text);
  const errors = { write, writelines: (all: Iterable<string>) => [...all].forEach(write), flush() {} };
  return { check, isTold, environ: (changes) => environWith({ 'wsgi.errors': errors, ...changes }) };
}

describe('validator', () => {
  it('has a way to break each of its rules', () => {
    assert.deepEqual(Object.keys(BREAKS).sort(), [...NAMES].sort());
    for (const name of NAMES) assert.ok(BREAKS[name].length > 0, name);
  });

  for (const name of NAMES) {
    BREAKS[name].forEach((breaks, index) => {
      const which = BREAKS[name].length > 1 ? `, way ${index + 1}` : '';
      it(`reports only ${name} to onViolation when it is broken${which}`, async () => {
        const violations: Violation[] = [];
        const check = validator({ onViolation: (violation) => void violations.push(violation) });
        try {
          await breaks(trialOf(check, [], () => violations.length > 0));
        } catch (error) {
          assert.ok(!(error instanceof ViaductError), String(error)); // a broken rule may also cause an error of its own
        }
        assert.ok(violations.length > 0, 'no violation');
        for (const violation of violations) {
          assert.deepEqual([violation.name, violation.side], [name, VIOLATIONS[name]], violation.message);
          assert.ok(violation.message.length > 10);
        }
      });

      it(`throws, or writes to wsgi.errors, when ${name} is broken${which}`, async () => {
        const lines: string[] = [];
        const expected = `(${name}, by the ${VIOLATIONS[name]}, or`;
        let thrown: unknown;
        try {
          await breaks(trialOf(validator(), lines, () => lines.length > 0));
        } catch (error) {
          thrown = error;
        }
        if (thrown === undefined) {
          assert.equal(lines.length, 1);
          assert.ok(lines[0]?.includes(expected) && lines[0].endsWith('\n'), lines[0]);
        } else {
          assert.ok(thrown instanceof ViaductError, String(thrown));
          assert.equal(thrown.code, 'CONTRACT');
          assert.ok(thrown.message.includes(expected), thrown.message);
        }
        assert.equal(thrown === undefined, ADVICE.includes(name) || lines.length > 0);
      });
    });
  }

  it('has each of its rules in the documentation', () => {
    const page = readFileSync(join(ROOT, 'docs/validator.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` \| (\w+) \| .+ \|$/gm)];
    assert.deepEqual(Object.fromEntries(rows.map(([, name, side]) => [name, side])), VIOLATIONS);
  });

  it('advises once', async () => {
    const lines: string[] = [];
    const { environ } = trialOf(validator(), lines, () => false);
    const application = validator()((_environ, startResponse) => {
      startResponse('200 OK', []);
      return [Buffer.from('untyped')];
    });
    for (let i = 0; i < 3; i += 1)
      assert.equal(String((await callApplication(application, environ())).body), 'untyped');
    assert.equal(lines.length, 1);
  });

  it('closes a body that the server does not get', async () => {
    let closed = 0;
    const body = Object.assign([Buffer.from('x'), 'text' as unknown as Uint8Array], {
      close() {
        closed += 1;
      },
    });
    const application = validator()((_environ, startResponse) => {
      startResponse('200 OK', []);
      return body;
    });
    await assert.rejects(callApplication(application, environWith()), /block-not-bytes/);
    assert.equal(closed, 1);
  });

  it('keeps start and close of the application, and adds neither', async () => {
    const calls: unknown[] = [];
    const holding: Application = Object.assign(((environ, start) => good(environ, start)) as Application, {
      async start(this: unknown, listeners: unknown) {
        calls.push(this === holding, listeners);
      },
      async close(this: unknown) {
        calls.push(this === holding);
      },
    });
    const checked = validator()(holding);
    await checked.start?.([]);
    await checked.close?.();
    assert.deepEqual(calls, [true, [], true]);
    const plain = validator()(good);
    assert.deepEqual([plain.start, plain.close], [undefined, undefined]);
  });

  it('restores the environ after the response', async () => {
    const environ = environWith();
    const { 'wsgi.input': input, 'wsgi.errors': errors } = environ;
    const application = validator()((received, startResponse) => {
      assert.equal(received, environ);
      assert.notEqual(received['wsgi.input'], input);
      return good(received, startResponse);
    });
    await callApplication(application, environ);
    await callApplication(application, environ);
    assert.equal(environ['wsgi.input'], input);
    assert.equal(environ['wsgi.errors'], errors);
  });
});
