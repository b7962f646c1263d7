import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readImported } from '../../src/cli/import/open-site.ts';
import { importFile } from '../../src/import/import-file.ts';
import type { Kind } from '../../src/import/kind.ts';
import { makeProject } from '../support/project.ts';

interface Case {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly kind?: Kind;
  readonly message: string;
}

const CASES: readonly Case[] = [
  {
    name: 'Python with a syntax error',
    file: 'gunicorn.conf.py',
    text: 'bind = ":8000"\nworkers = (\n',
    message: "Cannot read gunicorn.conf.py:2: '(' was never closed",
  },
  {
    name: 'an ini file without its section',
    file: 'uwsgi.ini',
    text: 'http = :80\n',
    message: 'Cannot read uwsgi.ini:1: there is no section [uwsgi]',
  },
  {
    name: 'an ini file with half a section',
    file: 'uwsgi.ini',
    text: '[uwsgi]\n[x\n',
    message: 'Cannot read uwsgi.ini:2: "[x" is neither a section nor a key',
  },
  {
    name: 'an nginx.conf with a missing brace',
    file: 'nginx.conf',
    text: 'http {\n',
    message: 'Cannot read nginx.conf:1: the block "http" does not end',
  },
  {
    name: 'a file of an unknown kind',
    file: 'notes.txt',
    text: 'hello\n',
    message: 'Cannot import "notes.txt": it is not clear whose configuration it is',
  },
  {
    name: 'an nginx.conf without a server',
    file: 'nginx.conf',
    text: 'http { gzip on; }\n',
    message: 'Cannot import "nginx.conf": it has no server',
  },
];

describe('a configuration that cannot be read', () => {
  for (const { name, file, text, kind = null, message } of CASES) {
    it(`is an error with file and line: ${name}`, async (t) => {
      const cwd = makeProject(t, { [file]: text });
      await assert.rejects(
        importFile({ file, kind, cwd, outputDirectory: null, readImported, variablesIn: () => [] }),
        {
          code: 'SETTINGS',
          message,
        },
      );
    });
  }

  it('is an error when it does not exist or is a directory', async (t) => {
    const cwd = makeProject(t, { 'sub/nginx.conf': '' });
    const read = (file: string) =>
      importFile({ file, kind: null, cwd, outputDirectory: null, readImported, variablesIn: () => [] });
    await assert.rejects(read('no.conf'), { message: 'Cannot read "no.conf": there is no such file' });
    await assert.rejects(read('sub'), { message: 'Cannot read "sub": it is a directory' });
  });

  it('is an error when files include each other', async (t) => {
    const cwd = makeProject(t, { 'nginx.conf': 'include b.conf;\n', 'b.conf': 'include nginx.conf;\n' });
    const read = importFile({
      file: 'nginx.conf',
      kind: null,
      cwd,
      outputDirectory: null,
      readImported,
      variablesIn: () => [],
    });
    await assert.rejects(read, { message: /^Cannot read (?:nginx|b)\.conf:1: blocks and files are nested too deep$/ });
  });

  it('is an error when no Python is found to read a Python file', async (t) => {
    const cwd = makeProject(t, { 'gunicorn.conf.py': 'workers = 2\n' });
    const { PATH } = process.env;
    process.env.PATH = cwd;
    t.after(() => {
      process.env.PATH = PATH;
    });
    const read = importFile({
      file: 'gunicorn.conf.py',
      kind: null,
      cwd,
      outputDirectory: null,
      readImported,
      variablesIn: () => [],
    });
    await assert.rejects(read, { code: 'PYTHON_MISSING', message: /there is no python3/ });
  });
});

describe('a gunicorn.conf.py', () => {
  it('is not run', async (t) => {
    const cwd = makeProject(t, { 'gunicorn.conf.py': 'import sys\nsys.exit(3)\nworkers = 2\n' });
    const { toml, report } = await importFile({
      file: 'gunicorn.conf.py',
      kind: null,
      cwd,
      outputDirectory: null,
      readImported,
      variablesIn: () => [],
    });
    assert.match(toml, /^workers = 2 /m);
    assert.match(
      report.lines(['not carried over']).join('\n'),
      /^gunicorn\.conf\.py:2: sys\.exit\(3\): not carried over: /m,
    );
  });
});

describe('the kind of a configuration', () => {
  const cases: readonly (readonly [file: string, text: string, expected: Kind])[] = [
    ['site', 'server { listen 80; return 204; }', 'nginx'],
    ['config.txt', '# x\n[uwsgi]\nhttp = :80\n', 'uwsgi'],
    ['settings.py', 'bind = ":80"\n', 'gunicorn'],
    ['settings.conf', 'bind = ":80"\n', 'gunicorn'],
  ];
  for (const [file, text, expected] of cases) {
    it(`is ${expected} for ${file}`, async (t) => {
      const cwd = makeProject(t, { [file]: text });
      assert.equal(
        (await importFile({ file, kind: null, cwd, outputDirectory: null, readImported, variablesIn: () => [] })).kind,
        expected,
      );
    });
  }

  it('is that of --from', async (t) => {
    const cwd = makeProject(t, { 'nginx.ini': '[uwsgi]\nhttp = :80\n' });
    await assert.rejects(
      importFile({ file: 'nginx.ini', kind: 'nginx', cwd, outputDirectory: null, readImported, variablesIn: () => [] }),
      /Cannot read nginx\.ini:/,
    );
  });
});
