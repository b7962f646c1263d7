import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { makeSelfSigned } from '../../src/listen/tls/self-signed.ts';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { NO_PACKAGES, ROOT, startViaduct } from '../support/viaduct.ts';

interface Example {
  readonly page: string;
  readonly number: number;
  readonly kind: 'toml' | 'ts';
  readonly text: string;
  /** The modules of the page, by the file name in their first line. */
  readonly modules: Readonly<Record<string, string>>;
}

const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))];

/** The example configurations of the documentation. */
const EXAMPLES = PAGES.flatMap((page): Example[] => {
  const text = readFileSync(join(ROOT, page === 'README.md' ? '' : 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/^```(toml|ts)\n([\s\S]*?)^```$/gm)];
  const modules = [...text.matchAll(/^```(?:python|js)\n(?:#|\/\/) ([\w-]+\.(?:py|mjs))\n([\s\S]*?)^```$/gm)];
  return blocks.map(([, kind, block = ''], index) => ({
    page,
    number: index + 1,
    kind: kind as 'toml' | 'ts',
    text: block,
    modules: Object.fromEntries(modules.map(([, name = '', source = '']) => [name, source])),
  }));
});

/** The applications that examples name. */
const APPLICATIONS = {
  'app.py': WSGI_APP,
  'current/app.py': WSGI_APP,
  'shop/shop/__init__.py': '',
  'shop/shop/wsgi.py': WSGI_APP,
  'srv/shop/shop/__init__.py': '',
  'srv/shop/shop/wsgi.py': WSGI_APP,
  'srv/blog/app.py': WSGI_APP,
};

describe('an example configuration', { concurrency: 2 }, () => {
  it('is found', () => assert.ok(EXAMPLES.length > 20));

  for (const { page, number, kind, text, modules } of EXAMPLES) {
    const skip = page === 'middleware.md' && NO_PACKAGES;
    it(`of ${page}, number ${number}, is served`, { skip }, async (t) => {
      const config = placed(page, text);
      const files = { ...APPLICATIONS, ...modules };
      const project = makeProject(t, files, { venv: NO_PACKAGES === false ? '.venv' : null });
      for (const path of pathsIn(config)) makePath(join(project, path));
      writeFileSync(join(project, kind === 'toml' ? 'viaduct.toml' : 'viaduct.config.ts'), config);
      const options = hasListeners(config) ? { cwd: project, listen: '' } : { cwd: project };
      const server = await startViaduct(t, ['app:application', '--workers', '1'], options);
      const { status } = await ask(server.port, '/', { headers: [['X-Forwarded-Proto', 'https']] });
      // A missing backend gives 502, maintenance 503.
      assert.ok(status >= 200 && status !== 500, `${status}`);
    });
  }
});

/** The example as a whole file, with all its paths below the project. On the page about handlers each example is part of a route. */
function placed(page: string, text: string): string {
  const whole =
    page === 'handlers.md'
      ? `[[route]]\n${text}`
      : /^\[route\./m.test(text) && !text.includes('[[route]]')
        ? `[[route]]\n${text}`
        : text;
  const bound = hasListeners(whole)
    ? whole.replaceAll(/^listen = .*$/gm, (line) => line.replaceAll(/:\d+"/g, ':0"'))
    : whole;
  return bound.replaceAll(/"\/(etc|srv|run|var)\//g, '"$1/').replaceAll(/^(user|group) = .*$/gm, '');
}

/** Whether its routes name addresses, so that the example has to listen on its own. */
function hasListeners(config: string): boolean {
  return /^\[\[route\]\]\n(?:\w+ = .*\n)*listen = /m.test(config);
}

/** The files and directories that the example names. */
function pathsIn(config: string): string[] {
  const values =
    /^(?:static|sendfile|certificate|key|client_ca|"\/[^"]*") = (.+)$|(?:file|page|tls_ca|fallback|pages) = (.+)$/gm;
  return [...config.matchAll(values)].flatMap(([, value = '', other = '']) =>
    [...`${value} ${other}`.matchAll(/"([^"*<>{}]+)"/g)].map(([, path = '']) => path),
  );
}

function makePath(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const { certificate, key } = PEM;
  if (/\.(pem|key|crt)$/.test(path)) writeFileSync(path, certificate + key);
  else if (/\.htpasswd$/.test(path)) writeFileSync(path, `user:${HASH}\n`);
  else if (/(?:\.\w+|-key)$/.test(path)) writeFileSync(path, 'a text that is long enough');
  else {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'index.html'), 'a page');
  }
}

const PEM = makeSelfSigned();
const HASH = '$scrypt$ln=15,r=8,p=3$S5Jfq+/uuHhBcdkMtoeyYw$cwqfGr8vDab6AF/mTqHjIvXpYNpW3rpZjbWFo0FpRro';
