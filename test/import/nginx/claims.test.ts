import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Probe } from '../../../src/import/check/outcome.ts';
import { chosenProbes } from '../../../src/import/nginx/check/chosen-probes.ts';
import { Claims } from '../../../src/import/nginx/check/claims.ts';
import { buildModel } from '../../../src/import/nginx/model/build-model.ts';
import { decideFrom } from '../../../src/import/nginx/model/decide.ts';
import { parseTree } from '../../../src/import/nginx/tree.ts';

/** The probes that claim something. `routeOf` says which route answers a probe. */
function claiming(server: string, routeOf: (probe: Probe) => string = () => ''): Probe[] {
  const model = buildModel(parseTree(`server { listen 80; server_name example.org; ${server} }`, 'nginx.conf'));
  const plain = chosenProbes(model);
  const decide = (probes: readonly Probe[]) =>
    probes.map((probe) => {
      const decided = decideFrom(model, probe, () => null);
      return { probe, ...decided, levels: [decided.from, decided.last] as const };
    });
  const all = [...new Claims(model).follow(plain, decide, routeOf)].map(({ probe }) => probe);
  assert.deepEqual(all.slice(0, plain.length), plain);
  return all.slice(plain.length);
}

const APP = 'location /app/ { proxy_set_header X-User $remote_user; proxy_pass http://127.0.0.1:8000; }';

function targetsIn(path: string, probes: readonly Probe[]): string[] {
  return probes.map(({ target }) => target).filter((target) => target.startsWith(path));
}

describe('clients that claim fields of a backend', () => {
  it('claim each field once for each place', () => {
    const probes = claiming(APP);
    // without the slash, nginx redirects
    assert.deepEqual(targetsIn('/app', probes), ['/app/', '/app']);
    assert.deepEqual(
      probes.map(({ fields }) => fields.slice(1)),
      probes.map(() => [['X-User', 'claimed']]),
    );
  });

  it('claim them with each path that another route answers', () => {
    assert.ok(
      targetsIn(
        '/app',
        claiming(APP, ({ target }) => target),
      ).length > 2,
    );
  });

  it('claim them from an address that is allowed, where others are not', () => {
    const probes = claiming(`allow 10.1.0.0/16; deny all; ${APP}`);
    assert.ok(probes.some(({ client, target }) => client === '10.1.0.0' && target.startsWith('/app/')));
  });

  it('claim them everywhere if more than a backend looks at such a field', () => {
    const looking = claiming(`if ($http_x_user = root) { return 403; } ${APP}`);
    assert.ok(targetsIn('/app', looking).length > 2);
  });

  it('do not exist without such fields', () => {
    assert.deepEqual(claiming('location / { proxy_pass http://127.0.0.1:8000; }'), []);
  });
});
