import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../support/viaduct.ts';
import { loadScript } from './load.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const json = (path: string) => JSON.parse(read(path));
const { scripts, engines, version } = json('package.json') as {
  scripts: Record<string, string>;
  engines: { node: string };
  version: string;
};

/** The commands `npm run NAME`, and npm's short forms of them. */
function scriptsNamedIn(text: string): readonly string[] {
  const named = [...text.matchAll(/\bnpm (?:run )?(start|test)\b|\bnpm run ([\w:-]+)/g)];
  return named.map(([, short, long]) => short ?? (long as string));
}

describe('the versions of Node', () => {
  it('are those of package.json in .nvmrc, the dev container and the workflow', () => {
    const major = /^>=(\d+)\.\d+$/.exec(engines.node)?.[1];
    assert.equal(read('.nvmrc'), `${major}\n`);
    assert.match(json('.devcontainer/devcontainer.json').image, new RegExp(`^node:${major}-`));
    assert.match(parse(read('.github/workflows/test.yml')).jobs.test.container.image, new RegExp(`^node:${major}-`));
    assert.ok(read('RELEASING.md').includes(`| Node | ${engines.node.slice(2)} and later |`));
  });
});

describe('the workflow', () => {
  const { on, permissions, jobs } = parse(read('.github/workflows/test.yml'));

  it('runs npm test with CI set, and nothing else', () => {
    const { env, steps } = jobs.test;
    assert.equal(env.CI, 'true');
    const commands = (steps as { run?: string }[]).flatMap(({ run }) => run ?? []);
    assert.deepEqual(commands, ['npm test']);
    assert.ok(scripts.test);
    assert.deepEqual(Object.keys(on), ['push', 'pull_request']);
    assert.deepEqual(permissions, { contents: 'read' });
  });

  it('pins each action by its major version', () => {
    const uses = (jobs.test.steps as { uses?: string }[]).flatMap((step) => step.uses ?? []);
    assert.notEqual(uses.length, 0);
    for (const action of uses) assert.match(action, /^actions\/[\w-]+@v\d+$/);
  });
});

describe('the forms for issues', () => {
  for (const name of ['bug', 'feature']) {
    it(`of ${name} has fields with different names`, () => {
      const form = parse(read(`.github/ISSUE_TEMPLATE/${name}.yml`));
      assert.ok(form.name && form.description);
      const fields = (form.body as { type: string; id?: string; attributes: { label?: string } }[]).filter(
        ({ type }) => type !== 'markdown',
      );
      for (const { type, id, attributes } of fields) {
        assert.match(type, /^(?:input|textarea|dropdown|checkboxes)$/);
        assert.ok(id && attributes.label, JSON.stringify(attributes));
      }
      assert.equal(new Set(fields.map(({ id }) => id)).size, fields.length);
    });
  }

  it('have a configuration', () => {
    assert.deepEqual(parse(read('.github/ISSUE_TEMPLATE/config.yml')), { blank_issues_enabled: true });
  });
});

describe("the editor's files", () => {
  it('recommend the same extensions as the dev container', () => {
    const { recommendations } = json('.vscode/extensions.json');
    assert.deepEqual(json('.devcontainer/devcontainer.json').customizations.vscode.extensions, recommendations);
    assert.ok(['biomejs.biome', 'charliermarsh.ruff'].every((name) => recommendations.includes(name)));
    assert.ok(json('.vscode/settings.json')['editor.formatOnSave']);
  });

  it('debug after tasks that exist, and run scripts that exist', () => {
    const { tasks } = json('.vscode/tasks.json') as {
      tasks: { label: string; script?: string; command?: string }[];
    };
    const labels = tasks.map(({ label }) => label);
    const { configurations } = json('.vscode/launch.json') as {
      configurations: { preLaunchTask: string; program: string; args?: string[] }[];
    };
    assert.equal(configurations.length, 3);
    for (const { preLaunchTask, program, args } of configurations) {
      assert.ok(labels.includes(preLaunchTask), preLaunchTask);
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the editor's variable
      const path = program.replace('${workspaceFolder}/', '');
      assert.ok(path.startsWith('.build/') || existsSync(join(ROOT, path)), program);
      if (args !== undefined) assert.ok(existsSync(join(ROOT, args[1] as string)), args[1]);
    }
    for (const { script, command } of tasks) {
      const named = script === undefined ? scriptsNamedIn(command ?? '') : [script];
      assert.notEqual(named.length, 0);
      for (const name of named) assert.ok(name in scripts, name);
    }
  });
});

describe('the pages of the project', () => {
  const PAGES = [
    'SECURITY.md',
    'RELEASING.md',
    'CONTRIBUTING.md',
    '.devcontainer/README.md',
    '.github/PULL_REQUEST_TEMPLATE.md',
  ];

  for (const page of PAGES) {
    it(`name scripts and link to pages that exist: ${page}`, () => {
      const text = read(page);
      for (const name of scriptsNamedIn(text)) assert.ok(name in scripts, `npm run ${name}`);
      for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        assert.ok(existsSync(join(ROOT, file)), target);
        if (anchor !== undefined) assert.ok(anchorsOf(read(file)).includes(anchor), target);
      }
    });
  }
});

function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('a new version', () => {
  it('is written wherever the version is', async () => {
    const { VERSIONED } = (await loadScript('version.mjs')) as {
      VERSIONED: Record<string, (text: string, version: string, day: string) => string>;
    };
    const changed = (path: string, before: string): readonly string[] => {
      const lines = before.split('\n');
      const after = VERSIONED[path]?.(before, '7.8.9', '2030-01-02') ?? '';
      return after.split('\n').filter((line) => !lines.includes(line));
    };
    assert.deepEqual(Object.keys(VERSIONED), ['src/version.ts', 'deploy/helm/viaduct/Chart.yaml', 'CHANGELOG.md']);
    assert.deepEqual(changed('src/version.ts', read('src/version.ts')), ["export const VERSION = '7.8.9';"]);
    const chart = 'deploy/helm/viaduct/Chart.yaml';
    assert.deepEqual(changed(chart, read(chart)), ['version: 7.8.9', 'appVersion: "7.8.9"']);
    assert.ok(changed('CHANGELOG.md', read('CHANGELOG.md')).includes('## 7.8.9 (2030-01-02)'));
    assert.equal(
      VERSIONED['CHANGELOG.md']?.('# C\n\n## Unreleased\n\n- New.\n', '7.8.9', '2030-01-02'),
      '# C\n\n## Unreleased\n\nNothing yet.\n\n## 7.8.9 (2030-01-02)\n\n- New.\n',
    );
    assert.match(read(chart), new RegExp(`^version: ${version}$`, 'm'));
    assert.throws(() => VERSIONED['src/version.ts']?.('nothing', '7.8.9', ''), /there is no/);
  });
});

describe('the package', () => {
  it('has the program, its documentation and nothing of its development', () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const [{ files }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }));
    const paths = (files as { path: string }[]).map(({ path }) => path);
    const wanted = ['bin/viaduct.js', 'dist/cli/main.js', 'dist/index.d.ts', 'python/viaduct_worker/worker.py'];
    wanted.push('python/viaduct_worker/tracing/request.py', 'python/viaduct/__init__.py', 'python/viaduct/py.typed');
    for (const path of [...wanted, 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs/settings.md']) {
      assert.ok(paths.includes(path), path);
    }
    const others = paths.filter(
      (path) => !/^(?:bin|dist|docs|deploy|python\/viaduct(?:_worker)?)\/|^[A-Z]+(?:\.md)?$|^package\.json$/.test(path),
    );
    assert.deepEqual(others, []);
    assert.deepEqual(
      paths.filter((path) => /\.tsbuildinfo$|__pycache__|\.pyc$/.test(path)),
      [],
    );
  });
});
