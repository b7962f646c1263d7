import { ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { discover, fails } from '../support/discover.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';

const FILES = {
  'app.py': WSGI_APP,
  'my-app.py': WSGI_APP,
  'my-site/wsgi.py': WSGI_APP,
  'my-package/__init__.py': WSGI_APP,
};

describe('a target that is neither a path nor MODULE:CALLABLE', () => {
  for (const [target, state, advice] of [
    ['my-app:app', 'Python has no modules with the name "my-app"', 'Name its file: my-app.py:app'],
    ['my-site.wsgi:app', 'Python has no modules with the name "my-site.wsgi"', 'Name its file: my-site/wsgi.py:app'],
    ['my-package:app', 'Python has no modules with the name "my-package"', 'Name its file: my-package/__init__.py:app'],
    ['no-app:app', 'Python has no modules with the name "no-app"', 'PATH.py:CALLABLE'],
    ['1app:app', 'Python has no modules with the name "1app"', 'PATH.py:CALLABLE'],
    ['my-app', 'there is no such file or directory', 'Name its file: my-app.py'],
    ['my-site/wsgi:app', 'there is no such file or directory', 'Name its file: my-site/wsgi.py:app'],
    ['my-site/none:app', 'there is no such file or directory', 'MODULE:CALLABLE'],
    ['app:my-callable', '"my-callable" is not a name', 'MODULE:CALLABLE'],
    ['my-app.py:my-callable', '"my-callable" is not a name', 'MODULE:CALLABLE'],
    ['app:', 'it names no callable after the colon', 'MODULE:CALLABLE'],
    [':app', 'it names no module before the colon', 'MODULE:CALLABLE'],
  ] as const) {
    it(`gets an advice that can be followed when it is ${target}`, async (t) => {
      const project = makeProject(t, FILES);
      const error = await fails(project, new RegExp(state.replaceAll('.', '\\.')), { target });
      ok(error.advice.includes(advice), error.advice);
      const file = /^Name its file: (.*)$/.exec(error.advice)?.[1];
      if (file !== undefined) ok(await discover(project, { target: file }));
    });
  }
});
