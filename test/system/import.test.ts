import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeProject } from '../support/project.ts';
import { runViaduct } from '../support/viaduct.ts';

/** Viaduct trusts no client with the scheme, which this configuration does. */
const SITE = `server {
    listen 8080;
    location / {
        proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;
        proxy_pass http://127.0.0.1:9000;
    }
}
`;

describe('viaduct import with a dangerous difference', () => {
  it('writes nothing, and names what --accept takes', async (t) => {
    const cwd = makeProject(t, { 'site.conf': SITE });
    const { code, output } = await runViaduct(cwd, 'import', 'site.conf', '--output', 'viaduct.toml');
    assert.equal(code, 1);
    assert.match(output, /^Dangerous differences:\n {2}site\.conf:3: location \/: another scheme or host: for GET /m);
    assert.match(output, /^Nothing was written: .* --accept site\.conf:3$/m);
    assert.equal(existsSync(join(cwd, 'viaduct.toml')), false);
  });

  it('writes the settings once it is accepted', async (t) => {
    const cwd = makeProject(t, { 'site.conf': SITE });
    const accept = ['--accept', 'site.conf:3'];
    const { code, output } = await runViaduct(cwd, 'import', 'site.conf', '--output', 'viaduct.toml', ...accept);
    assert.equal(code, 0);
    assert.match(output, /\[accepted\]$/m);
    assert.equal(existsSync(join(cwd, 'viaduct.toml')), true);
  });
});
