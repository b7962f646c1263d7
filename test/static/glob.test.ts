import { equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { globToRegExp } from '../../src/static/glob.ts';
import { looksHashed } from '../../src/static/hashed-names.ts';
import { decodePath, encodePath, systemPath } from '../../src/static/path.ts';

describe('globToRegExp', () => {
  for (const [pattern, path, fits] of [
    ['*.css', '/a.css', true],
    ['*.css', '/deep/er/a.css', true],
    ['*.css', '/a.css/b', false],
    ['*.css', '/acss', false],
    ['a.?s', '/a.js', true],
    ['a.?s', '/a.mjs', false],
    ['/img/**', '/img/a.png', true],
    ['/img/**', '/img/deep/a.png', true],
    ['/img/**', '/img', false],
    ['/img/**', '/other/img/a.png', false],
    ['img/*.png', '/img/a.png', true],
    ['img/*.png', '/img/deep/a.png', false],
    ['/a/**/b', '/a/b', true],
    ['/a/**/b', '/a/x/y/b', true],
    ['/a/**/b', '/a/xb', false],
    ['**/*.js', '/a.js', true],
    ['*.{js,css}', '/a.css', true],
    ['*.{js,css}', '/a.html', false],
    ['a,b', '/a,b', true],
    ['a+(b)[c].^$|\\', '/a+(b)[c].^$|\\', true],
    ['*', '/a\nb', true],
    ['{a', '/a', true],
  ] as const)
    it(`${pattern} ${fits ? 'fits' : 'does not fit'} ${JSON.stringify(path)}`, () => {
      equal(globToRegExp(pattern).test(path), fits);
    });
});

describe('looksHashed', () => {
  for (const [name, hashed] of [
    ['index-BxZ1_a2B.js', true],
    ['index-BxZ1_a2B.js.map', true],
    ['main.8e0d6a2f.chunk.js', true],
    ['base.55e7cbb9ba48.css', true],
    ['logo.d41d8cd98f00b204e9800998ecf8427e.svg', true],
    ['index-D-f_9aQ1.css', true],
    ['index.html', false],
    ['my-calendar.js', false],
    ['my-DataGrid.js', false],
    ['invoice-20241123.pdf', false],
    ['invoice.202411230001.pdf', false],
    ['heading-heading1.js', false],
    ['a-BxZ1_a2B', false],
  ] as const)
    it(`${name} ${hashed ? 'looks' : 'does not look'} like a name with a hash`, () => equal(looksHashed(name), hashed));
});

describe('a path', () => {
  it('is the same after encoding and decoding, whatever its bytes are', () => {
    for (const path of ['/a b', '/100%', '/%41', '/größe/文件/😀', "/it's!()*", '/a+b&c=d;e,f?g#h', '/"<>|^`{}'])
      equal(decodePath(encodePath(path)), path);
    for (const encoded of ['/b%FF%20', '/%C3%A9%FF', '/%F0%9F%98', '/%ED%A0%80'])
      equal(encodePath(decodePath(encoded) ?? ''), encoded);
    equal(systemPath('/größe/😀'), '/größe/😀');
    equal(systemPath(decodePath('/%C3%A9%FF') ?? '').toString('latin1'), '/\xc3\xa9\xff');
  });

  it('is rejected when it has a malformed encoding, or an encoded slash, backslash or NUL in any form', () => {
    for (const path of ['/%', '/%f', '/%zz%ff', '/a%2Fb', '/a%5Cb', '/%ff%2f', '/%ff%00', '/a\\b'])
      equal(decodePath(path), null, path);
  });
});
