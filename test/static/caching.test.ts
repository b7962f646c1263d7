import { deepEqual, equal } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, withMount } from '../support/static-site.ts';

const FOR_GOOD = 'public, max-age=31536000, immutable';

describe('Cache-Control of a static mount', () => {
  const md5 = createHash('md5').update('django').digest('hex').slice(0, 12);
  const suite = suiteLifetime();
  const { root, write } = makeSite(suite, {
    'site.css': 'css',
    'img/deep/a.png': 'png',
    'img.png': 'png',
    [`base.${md5}.css`]: 'django',
    'assets/index-BxZ1_a2B.js': 'vite',
    'assets/index-D4f9aQ_1.css': 'not in the manifest',
    'assets/my-calendar.js': 'a name',
    'main.8e0d6a2f.chunk.js': 'webpack',
    'invoice-20241123.pdf': 'a date',
    'large.0123456789ab.bin': 'x'.repeat(1_200_000),
  });

  it('comes from the first matching rule, for names and for paths below the mount', () => {
    const cacheControl = [
      { pattern: '/img/**', value: 'max-age=1' },
      { pattern: '*.{css,js}', value: 'max-age=2' },
      { pattern: '*.png', value: 'max-age=3' },
    ];
    return withMount(suite, { urlPrefix: '/s/', cacheControl }, root, async (get) => {
      const lifetime = async (name: string) => (await get(`/s/${name}`)).header('cache-control');
      equal(await lifetime('img/deep/a.png'), 'max-age=1');
      equal(await lifetime('site.css'), 'max-age=2');
      equal(await lifetime(`base.${md5}.css`), 'max-age=2', 'a rule wins over the hash');
      equal(await lifetime('img.png'), 'max-age=3');
      equal(await lifetime('invoice-20241123.pdf'), 'no-cache');
    });
  });

  it('is immutable for hashed names in a manifest of the build tool, and for no other names', () =>
    withMount(suite, {}, root, async (get) => {
      const lifetime = async (name: string) => (await get(`/${name}`)).header('cache-control');
      equal(await lifetime(`base.${md5}.css`), FOR_GOOD);
      equal(await lifetime('assets/index-BxZ1_a2B.js'), 'no-cache', 'without a manifest');
      write(
        '.vite/manifest.json',
        JSON.stringify({ 'main.ts': { file: 'assets/index-BxZ1_a2B.js', css: ['assets/my-calendar.js'] } }),
      );
      write('staticfiles.json', JSON.stringify({ paths: { 'large.bin': 'large.0123456789ab.bin' } }));
      utimesSync(join(root, 'assets/index-BxZ1_a2B.js'), 1000, 1000);
      equal(await lifetime('assets/index-BxZ1_a2B.js'), FOR_GOOD);
      equal(await lifetime('large.0123456789ab.bin'), FOR_GOOD);
      equal(await lifetime('assets/index-D4f9aQ_1.css'), 'no-cache');
      equal(await lifetime('assets/my-calendar.js'), 'no-cache');
      await withMount(suite, {}, join(root, 'assets'), async (below) => {
        equal((await below('/index-BxZ1_a2B.js')).header('cache-control'), FOR_GOOD, 'the manifest lies above');
      });
      rmSync(join(root, '.vite'), { recursive: true });
      rmSync(join(root, 'staticfiles.json'));
    }));

  it('is immutable for all names that look hashed, or for none, when configured', async () => {
    const lifetimes = (immutable: 'always' | 'never') => {
      const values: Record<string, string | null> = {};
      const names = [
        `base.${md5}.css`,
        'assets/index-BxZ1_a2B.js',
        'main.8e0d6a2f.chunk.js',
        'assets/my-calendar.js',
        'invoice-20241123.pdf',
        'site.css',
      ];
      return withMount(suite, { immutable }, root, async (get) => {
        for (const name of names) values[name] = (await get(`/${name}`)).header('cache-control');
      }).then(() => Object.values(values));
    };
    deepEqual(await lifetimes('always'), [FOR_GOOD, FOR_GOOD, FOR_GOOD, 'no-cache', 'no-cache', 'no-cache']);
    deepEqual(await lifetimes('never'), Array(6).fill('no-cache'));
  });

  it('and other fields of the mount replace those of Viaduct, even in a 304', () => {
    const headers = ['Access-Control-Allow-Origin', '*', 'cache-control', 'max-age=9', 'Vary', 'Origin'];
    return withMount(suite, { headers, precompressed: ['gzip'] }, root, async (get) => {
      write('zipped.js', 'js');
      write('zipped.js.gz', 'zip');
      for (const extra of [[], [['If-None-Match', '*']], [['Range', 'bytes=0-0']]] as const) {
        const answer = await get('/zipped.js', extra);
        const all = (name: string) => answer.headers.filter(([other]) => other === name).map(([, value]) => value);
        deepEqual(all('cache-control'), ['max-age=9'], `${answer.status}`);
        deepEqual(all('access-control-allow-origin'), ['*']);
        deepEqual(all('vary'), ['Accept-Encoding', 'Origin']);
      }
    });
  });
});
