import { match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { discover, fails } from '../support/discover.ts';
import { makeProject } from '../support/project.ts';

const MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\nimport django\n";

/** The import of its settings runs `code`. */
function djangoProject(code: string): Record<string, string> {
  const conf = 'import settings as module\nclass settings:\n    WSGI_APPLICATION = "app.application"\n';
  return { 'manage.py': MANAGE, 'settings.py': code, 'django/__init__.py': '', 'django/conf.py': conf };
}

describe('settings of Django that end Python', () => {
  for (const [code, state] of [
    ['import os\nos._exit(3)', /: its Python ended with exit code 3$/],
    [
      'import os, sys\nprint("no key", file=sys.stderr, flush=True)\nos._exit(0)',
      /: its Python ended with exit code 0$/,
    ],
    ['import os\nos.kill(os.getpid(), 9)', /: its Python ended of SIGKILL$/],
    // what Python can still print depends on which descriptors it opens afterwards
    ['import os\nos.closerange(3, 64)', /: (?:OSError: |its Python ended with exit code 1$)/],
  ] as const) {
    it(`are the reason that is reported: ${JSON.stringify(code)}`, async (t) => {
      const error = await fails(makeProject(t, djangoProject(code)), state);
      match(error.message, /^Cannot inspect the project in /);
      match(error.advice, /settings of Django/);
      if (code.includes('no key')) match(String(error.cause), /^no key$/m);
    });
  }

  it('by an exception, of whatever class, leave the application to be imported', async (t) => {
    for (const name of ['SystemExit', 'KeyboardInterrupt', 'GeneratorExit']) {
      const { findings } = await discover(makeProject(t, djangoProject(`raise ${name}`)));
      match(findings.map(({ text }) => text).join('\n'), new RegExp(`settings cannot be imported: ${name}`));
    }
  });
});
