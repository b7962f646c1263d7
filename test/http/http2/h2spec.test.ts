import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { type ProtocolServer, startProtocolServer } from '../../support/http2-server.ts';

const run = promisify(execFile);
const PLACES = [
  join(import.meta.dirname, '../../../../.setup/h2spec/bin'),
  ...(process.env.PATH ?? '').split(delimiter),
];
const H2SPEC = PLACES.map((directory) => join(directory, 'h2spec')).find(existsSync);
const CASES_MIN = 145;

/** For `{ skip }`: false when it is there, otherwise what is missing. */
const NO_H2SPEC = H2SPEC === undefined ? 'h2spec is not built: there is no Go' : false;

/** A case as h2spec's JUnit report has it. */
interface Case {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly detail: string;
}

describe('h2spec', { skip: NO_H2SPEC }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  const servers: ProtocolServer[] = [];

  after(() => {
    for (const server of servers) server.close();
    rmSync(directory, { recursive: true });
  });

  /** Takes whatever comes, as the cases that send content expect. */
  function handle({ body }: Request) {
    if (body === null) return Response.text(200, 'Hello, World!\n');
    return new Promise<Response>((resolve, reject) => {
      body.start({ write() {}, end: () => resolve(Response.text(200, 'taken\n')), fail: reject });
    });
  }

  async function check(port: number, name: string, args: readonly string[]): Promise<string> {
    const report = join(directory, `${name}.xml`);
    await run(H2SPEC as string, ['-h', '127.0.0.1', '-p', `${port}`, '-o', '2', '-j', report, ...args], {
      timeout: 200_000,
      maxBuffer: 16_000_000,
    }).catch((error: { readonly code: unknown }) => {
      if (error.code !== 1) throw error; // some case failed: the report says which
    });
    const cases = readReport(readFileSync(report, 'utf8'));
    const passed = cases.filter(({ outcome }) => outcome === 'passed').length;
    const others = cases.filter(({ outcome }) => outcome !== 'passed');
    assert.deepEqual(others, []);
    assert.ok(passed >= CASES_MIN, `h2spec ran ${passed} cases only`);
    return `${passed} of ${cases.length} cases passed`;
  }

  it('passes by prior knowledge', async (test) => {
    const server = await startProtocolServer('HTTP/2', { handle });
    servers.push(server);
    test.diagnostic(await check(server.port, 'h2c', []));
  });

  it('passes by TLS', async (test) => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    await run('openssl', [
      'req',
      '-x509',
      ...algorithm,
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      '/CN=localhost',
    ]);
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    const server = await startProtocolServer('HTTP/2', { handle, tls });
    servers.push(server);
    test.diagnostic(await check(server.port, 'h2', ['-t', '-k']));
  });
});

/** Cases of a JUnit report. */
function readReport(xml: string): Case[] {
  const cases: Case[] = [];
  for (const [, attributes = '', content = ''] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const text = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
    const outcome = /<(?:failure|error)/.test(content) ? 'failed' : content.includes('<skipped') ? 'skipped' : 'passed';
    const detail = outcome === 'passed' ? '' : content.replace(/<[^>]*>/g, '').trim();
    cases.push({ name: `${text('package')} ${text('classname')}`.trim(), outcome, detail });
  }
  return cases;
}
