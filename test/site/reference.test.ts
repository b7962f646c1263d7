import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonSchema } from '../../src/site/schema/json-schema.ts';
import { type KeyReference, siteReference } from '../../src/site/schema/reference.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
}

/** Every key below a schema, by its path, with what editors show for it. */
function described(schema: Schema, path = ''): [path: string, description: string][] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const below = path === '' ? key : `${path}.${key}`;
    return [[below, inner.description ?? ''] as [string, string], ...described(inner, below)];
  });
  const { items, anyOf = [], additionalProperties: any } = schema;
  const others = [items, ...anyOf, typeof any === 'object' ? any : undefined];
  return [...own, ...others.flatMap((inner) => (inner === undefined ? [] : described(inner, path)))];
}

const SECTIONS = siteReference().flatMap(({ sections }) => sections);
const KEYS: readonly KeyReference[] = SECTIONS.flatMap(({ table, keys }) => [
  ...(table === null ? [] : [table]),
  ...keys,
]);
const SENTENCES = /^[A-Z0-9/"].*\.$/;

describe('the reference of all keys', () => {
  const schema = jsonSchema() as Schema;

  it('describes each key in editors', () => {
    const without = described(schema).filter(([, text]) => !SENTENCES.test(text));
    assert.deepEqual(without, []);
  });

  it('describes each key in docs/configuration.md, in sentences of at most 25 words', () => {
    assert.ok(KEYS.length > 150);
    for (const { path, description, takes } of KEYS) {
      assert.match(description, SENTENCES, path);
      assert.notEqual(takes, '', path);
      for (const sentence of description.split(/(?<=[.;:]) /)) assert.ok(sentence.split(' ').length <= 25, sentence);
    }
  });

  it('leaves out no key that the schema knows', () => {
    const { apps, route, tls, ...others } = schema.properties ?? {};
    const site = described({ properties: { ...(apps && { apps }), ...(route && { route }), ...(tls && { tls }) } });
    const known = new Set(KEYS.map(({ path }) => path));
    assert.ok(site.length > 150);
    assert.deepEqual(
      [...new Set(site.map(([path]) => path))].filter((path) => !known.has(path)),
      [],
    );
    for (const key of ['trusted_proxy_values', 'trusted_proxy_fields', 'sendfile'])
      assert.ok(key in others && known.has(key));
  });

  it('shows defaults as they would be written', () => {
    const toml = (path: string) => KEYS.find((key) => key.path === path)?.default;
    assert.deepEqual(toml('route.proxy_options.connect_timeout_ms'), { toml: '"5s"' });
    assert.deepEqual(toml('route.proxy_options.buffer_memory_bytes_max'), { toml: '"64KiB"' });
    assert.deepEqual(toml('route.rate_limit.burst'), { toml: '1' });
    assert.deepEqual(toml('route.static_options.index'), { toml: '["index.html"]' });
    assert.deepEqual(toml('route.request_limit.max'), { words: 'no limit' });
    assert.equal(toml('route.rate_limit.rate'), null);
  });
});
