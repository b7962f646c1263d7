import { deepEqual, equal, match } from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkMounts } from '../../src/static/check-mounts.ts';
import type { StaticMount } from '../../src/static/mount.ts';
import { temporaryDirectory } from '../support/static-server.ts';

/** A user who owns nothing. */
const NOBODY = 65534;

describe('the check of static mounts', () => {
  const { path: root, remove } = temporaryDirectory();
  writeFileSync(join(root, 'index.html'), '');
  after(remove);
  const check = (mount: Partial<StaticMount>) => checkMounts([{ urlPrefix: '/s/', directories: [root], ...mount }]);

  it('finds nothing wrong with mounts that work', () => {
    const headers = ['X-Own', 'x'];
    const tryFiles = ['{path}', '{path}.html', '{path}/index.html', '{path}/', '/index.html'];
    deepEqual(check({ index: ['index.html'], fallback: '/index.html', tryFiles, headers }), []);
  });

  it('names directories that are missing, files, or closed', () => {
    deepEqual(check({ directories: [root, join(root, 'none')] }), [
      `Cannot serve files below "/s/": "${join(root, 'none')}" does not exist`,
    ]);
    match(check({ directories: [join(root, 'index.html')] })[0] ?? '', /is no directory$/);
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

  it('names a fallback, index, names to try and fields that cannot work', () => {
    match(check({ fallback: 'app.html' })[0] ?? '', /its fallback "app\.html" is not there$/);
    match(check({ index: ['sub/index.html'] })[0] ?? '', /"sub\/index\.html" is no name of a file$/);
    equal(check({ tryFiles: ['$uri', '=404', '{uri}', '../{path}', '{path}'] }).length, 4);
    match(check({ headers: ['Bad Name', 'x'] })[0] ?? '', /"Bad Name"/);
    match(check({ cacheControl: [{ pattern: '*', value: 'a\nb' }] })[0] ?? '', /Cache-Control/);
  });
});
