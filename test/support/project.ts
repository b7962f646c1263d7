import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { PYTHON_WITH_PACKAGES, ROOT } from './viaduct.ts';

showPythonToCompiledSource();

/**
 * Makes a project with these files in a new directory, and removes it when the lifetime is over. `venv` is the name under which the
 * virtual environment of the tests is linked into the project. Returns the path of the project.
 */
export function makeProject(
  t: Lifetime,
  files: Readonly<Record<string, string>>,
  { name = 'project', venv = null }: { readonly name?: string; readonly venv?: string | null } = {},
): string {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'viaduct-project-')));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const project = join(top, name);
  mkdirSync(join(project, '.git'), { recursive: true }); // discovery does not look above it
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  if (venv !== null) symlinkSync(dirname(dirname(PYTHON_WITH_PACKAGES ?? '')), join(project, venv));
  return project;
}

export const WSGI_APP =
  'def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b"hello"]\n';
export const FLASK_APP =
  "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef hello():\n    return 'hello'\n";
export const FLASK_FACTORY = 'from flask import Flask\ndef create_app(config=None):\n    return Flask(__name__)\n';

/** The files of a short Django project like that of `startproject`. `settings` is added to the end of its settings. */
export function djangoFiles(settings = '', name = 'mysite'): Record<string, string> {
  return {
    'manage.py': `import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', '${name}.settings')\nfrom django.core.management import execute_from_command_line\n`,
    [`${name}/__init__.py`]: '',
    [`${name}/settings.py`]: `from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = 'test'
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = '${name}.urls'
INSTALLED_APPS = ['django.contrib.staticfiles']
WSGI_APPLICATION = '${name}.wsgi.application'
STATIC_URL = 'static/'
${settings}
`,
    [`${name}/urls.py`]:
      "from django.http import HttpResponse\nfrom django.urls import path\nurlpatterns = [path('', lambda request: HttpResponse('hello'))]\n",
    [`${name}/wsgi.py`]: `import os\nfrom django.core.wsgi import get_wsgi_application\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', '${name}.settings')\napplication = get_wsgi_application()\n`,
  };
}

/** Discovery runs a Python file, whose path it derives from its own path. In tests this path is below `.build/src`. */
function showPythonToCompiledSource(): void {
  try {
    symlinkSync(join(ROOT, 'python'), join(ROOT, '.build/python'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
