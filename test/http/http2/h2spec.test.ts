import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { hostWith } from '../../support/certificates.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { ROOT } from '../../support/viaduct.ts';

const run = promisify(execFile);
const DIRECTORIES = [join(ROOT, '.setup/h2spec/bin'), ...(process.env.PATH ?? '').split(delimiter)];
const H2SPEC = DIRECTORIES.map((directory) => join(directory, 'h2spec')).find(existsSync);
const CASES_MIN = 146;

/** For `{ skip }`: false when h2spec is installed, else the reason to skip. */
const NO_H2SPEC = H2SPEC === undefined ? 'h2spec is not built; the set-up printed why' : false;

/** A case of h2spec's JUnit report. */
interface Case {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly detail: string;
}

describe('h2spec', { skip: NO_H2SPEC }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-test-'));

  after(() => rmSync(directory, { recursive: true }));

  /** Reads all content, as the cases that send content expect. */
  function handle({ body }: Request) {
    if (body === null) return Response.text(200, 'Hello, World!\n');
    return new Promise<Response>((resolve, reject) => {
      body.start({ write() {}, end: () => resolve(Response.text(200, 'taken\n')), fail: reject });
    });
  }

  async function check(port: number, name: string, args: readonly string[]): Promise<string> {
    const report = join(directory, `${name}.xml`);
    await run(H2SPEC as string, ['-h', '127.0.0.1', '-p', `${port}`, '-o', '2', '--strict', '-j', report, ...args], {
      timeout: 200_000,
      maxBuffer: 16_000_000,
    }).catch((error: { readonly code: unknown }) => {
      if (error.code !== 1) throw error; // code 1: at least one case failed, and the report names it
    });
    const cases = readReport(readFileSync(report, 'utf8'));
    const passed = cases.filter(({ outcome }) => outcome === 'passed').length;
    const others = cases.filter(({ outcome }) => outcome !== 'passed');
    assert.deepEqual(others, []);
    assert.ok(passed >= CASES_MIN, `only ${passed} cases of h2spec passed`);
    return `${passed} of ${cases.length} cases passed`;
  }

  it('passes with prior knowledge', async (test) => {
    const server = await serveHandler(test, handle, { protocol: 'HTTP/2' });
    test.diagnostic(await check(server.port, 'h2c', []));
  });

  it('passes over TLS', async (test) => {
    const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    await run('openssl', [
      'req',
      '-x509',
      ...algorithm,
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      '-subj',
      '/CN=localhost',
    ]);
    const server = await serveHandler(test, handle, { tls: { hosts: [hostWith({ certificate, key })] } });
    test.diagnostic(await check(server.port, 'h2', ['-t', '-k']));
  });
});

/** Reads the cases of a JUnit report. */
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
