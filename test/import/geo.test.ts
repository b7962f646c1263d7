import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { NO_NGINX } from '../support/nginx.ts';
import { freePort } from '../support/peer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startImported } from './judge/imported-server.ts';
import { startRealNginx } from './judge/real-nginx.ts';

/** Networks that say who a client is, and what follows from it. */
function configurationFor(port: number): string {
  return `geo $blocked { default 0; 127.0.1.0/24 1; 127.0.1.8 0; 127.0.3.0/24 1; delete 127.0.3.0/24; }
geo $http_x_from $named { default nobody; 10.0.0.0/8 office; 10.1.0.0/16 lab; 2001:db8::/32 six; }
map $blocked $word { 1 blocked; default free; }
server {
  listen 127.0.0.1:${port};
  location / { if ($blocked) { return 403; } return 200 "$word $blocked"; }
  location /named { return 200 "$named"; }
}
`;
}

const QUESTIONS: readonly (readonly [path: string, client: string, from: string])[] = [
  ...['127.0.0.1', '127.0.1.1', '127.0.1.8', '127.0.1.255', '127.0.2.1', '127.0.3.1'].map(
    (client) => ['/', client, ''] as const,
  ),
  ...['10.2.3.4', '10.1.3.4', '192.0.2.1', '2001:db8::7', '2001:db9::7', 'x', ''].map(
    (from) => ['/named', '127.0.0.1', from] as const,
  ),
];

async function answersOf(port: number): Promise<string[]> {
  const answers: string[] = [];
  for (const [path, client, from] of QUESTIONS) {
    const { status, body } = await ask(port, path, { headers: from === '' ? [] : [['X-From', from]] }, client);
    answers.push(`${path} ${client} ${from}: ${status} ${status === 200 ? body : ''}`);
  }
  return answers;
}

describe('geo of nginx', { skip: NO_NGINX }, () => {
  it('becomes a map of ranges, which gives the same values', async (t) => {
    const [port, ours] = [await freePort(), await freePort()];
    const nginx = await startRealNginx(t, temporaryDirectory(t), configurationFor(port));
    assert.notEqual(typeof nginx, 'string', String(nginx));
    const text = `http {\n${configurationFor(ours)}}\n`;
    const { report, toml } = await startImported(t, temporaryDirectory(t), text);
    assert.deepEqual(report.lines(['dangerous', 'closed', 'not carried over']), [], toml);
    assert.deepEqual(await answersOf(ours), await answersOf(port));
  });

  it('gives clients of Unix sockets what nginx gives them', async (t) => {
    const text = `http {
geo $kind { default none; 10.0.0.0/8 office; 0.0.0.0/0 other; }
server { listen 127.0.0.1:${await freePort()}; location / { return 200 "$kind"; } }
}
`;
    const { toml } = await startImported(t, temporaryDirectory(t), text);
    assert.match(toml, /ranges = \{ "10\.0\.0\.0\/8" = "office", "0\.0\.0\.0\/0" = "other", unix = "other" \}/);
  });

  it('is reported as lost if it has ranges from one address to another', async (t) => {
    const text = `http {
geo $country { ranges; default ZZ; 10.0.0.0-10.255.255.255 US; }
server { listen 127.0.0.1:${await freePort()}; location / { return 200 "$country"; } }
}
`;
    const { report } = await startImported(t, temporaryDirectory(t), text);
    assert.match(report.lines(['not carried over']).join('\n'), /geo \$country.*only networks have a counterpart/);
  });
});
