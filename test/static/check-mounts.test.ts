import { deepEqual, equal, match } from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkMounts, findMissing } from '../../src/static/check-mounts.ts';
import type { StaticMount } from '../../src/static/mount.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A user without any files. */
const NOBODY = 65534;

describe('checkMounts', () => {
  const root = temporaryDirectory(suiteLifetime());
  writeFileSync(join(root, 'index.html'), '');
  const check = (mount: Partial<StaticMount>) => {
    const mounts = [{ urlPrefix: '/s/', directories: [root], ...mount }];
    return [...checkMounts(mounts), ...findMissing(mounts)];
  };

  it('reports no problems for valid mounts', () => {
    const headers = ['X-Own', 'x'];
    const tryFiles = ['{path}', '{path}.html', '{path}/index.html', '{path}/', '/index.html'];
    deepEqual(check({ index: ['index.html'], fallback: '/index.html', tryFiles, headers }), []);
  });

  it('reports directories that are missing, unreadable or not directories', () => {
    deepEqual(check({ directories: [root, join(root, 'none')] }), [
      `Cannot serve files below "/s/": "${join(root, 'none')}" does not exist`,
    ]);
    match(check({ directories: [join(root, 'index.html')] })[0] ?? '', /is not a directory$/);
    mkdirSync(join(root, 'closed'), { mode: 0 });
    mkdirSync(join(root, 'unlisted'), { mode: 0o711 });
    chmodSync(join(root, 'unlisted'), 0o311);
    chmodSync(root, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY); // root may read everything
    try {
      match(check({ directories: [join(root, 'closed')] })[0] ?? '', /cannot be read by this user$/);
      deepEqual(check({ directories: [join(root, 'unlisted')] }), []);
      equal(check({ directories: [join(root, 'unlisted')], listing: true }).length, 1);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('reports an invalid fallback, index, path to try and field', () => {
    match(check({ fallback: 'app.html' })[0] ?? '', /its fallback "app\.html" does not exist$/);
    match(check({ index: ['sub/index.html'] })[0] ?? '', /"sub\/index\.html" is not a file name$/);
    equal(check({ tryFiles: ['$uri', '=404', '{uri}', '../{path}', '{path}'] }).length, 4);
    match(check({ headers: ['Bad Name', 'x'] })[0] ?? '', /"Bad Name"/);
    match(check({ cacheControl: [{ pattern: '*', value: 'a\nb' }] })[0] ?? '', /Cache-Control/);
  });
});
