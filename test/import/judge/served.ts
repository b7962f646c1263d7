import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashPassword } from '../../../src/handlers/auth/passwords.ts';
import type { Finding } from '../../../src/import/check/finding.ts';
import type { Probe } from '../../../src/import/check/outcome.ts';
import { chosenProbes } from '../../../src/import/nginx/check/chosen-probes.ts';
import { buildModel } from '../../../src/import/nginx/model/build-model.ts';
import { decideFrom } from '../../../src/import/nginx/model/decide.ts';
import type { Model } from '../../../src/import/nginx/model/model.ts';
import { parseTree } from '../../../src/import/nginx/tree.ts';
import { type Lifetime, nestedLifetime } from '../../support/lifetime.ts';
import { askNginx, type RealResponse } from './ask-nginx.ts';
import { line, render } from './configuration.ts';
import { generate } from './generate.ts';
import { startImported } from './imported-server.ts';
import type { Place } from './place.ts';
import { startRealNginx } from './real-nginx.ts';
import { realDisk } from './site.ts';
import { MARK, type Seen } from './stubs.ts';

const AT_ONCE = 24;

/** What real servers did with the probes of one configuration. */
export interface Served {
  readonly probes: number;
  /** Differences of which the report names the place, or its server. */
  readonly reported: number;
  /** Differences that it does not name, in words. */
  readonly unreported: readonly string[];
}

/**
 * Asks nginx, and then Viaduct with the imported settings, each probe at the boundaries of a configuration. A client that gets content where
 * nginx refuses it, another file or another backend is a difference.
 */
export async function judgeServed(t: Lifetime, seed: number, place: Place): Promise<Served> {
  // the import cannot know where this nginx has its files
  const root = line('root', join(place.directory, 'html'));
  const text = `http {\n${render([root, ...generate(seed, place)])}}\n`;
  const model = buildModel(parseTree(text, 'nginx.conf'), place.directory);
  const probes = chosenProbes(model, { client: '127.0.0.1' }).filter(({ client }) => client.startsWith('127.'));
  const nginx = await startRealNginx(t, place.directory, text.slice('http {\n'.length, -2));
  if (typeof nginx === 'string') throw new Error(nginx);
  const before = await askAll(probes).finally(() => nginx.stop());
  const passwords = join(place.directory, 'passwords');
  const kept = readFileSync(passwords);
  writeFileSync(passwords, `user:${await hashPassword('secret')}\n`); // Viaduct takes no plain ones
  const releases: (() => void | Promise<void>)[] = [];
  const own = nestedLifetime({ after: (release) => void releases.push(release) });
  try {
    const { findings } = await startImported(own, place.directory, text);
    return compare(model, findings, probes, before, await askAll(probes));
  } finally {
    for (const release of releases) await release();
    writeFileSync(passwords, kept);
  }
}

async function askAll(probes: readonly Probe[]): Promise<(RealResponse | null)[]> {
  const responses: (RealResponse | null)[] = [];
  for (let at = 0; at < probes.length; at += AT_ONCE)
    responses.push(
      ...(await Promise.all(probes.slice(at, at + AT_ONCE).map((probe) => askNginx(probe).catch(() => null)))),
    );
  return responses;
}

function compare(
  model: Model,
  findings: readonly Finding[],
  probes: readonly Probe[],
  before: readonly (RealResponse | null)[],
  now: readonly (RealResponse | null)[],
): Served {
  let reported = 0;
  const unreported: string[] = [];
  for (const [index, probe] of probes.entries()) {
    const [was, is] = [contentOf(before[index] ?? null), contentOf(now[index] ?? null)];
    if (is === null || was === is) continue;
    const line = decideFrom(model, probe, realDisk).from?.statement.line ?? 0;
    const server = Math.max(...model.servers.map(({ statement }) => statement.line).filter((one) => one <= line));
    if (findings.some(({ from }) => from.line === line || from.line === server)) reported += 1;
    else unreported.push(`line ${line}: ${JSON.stringify(probe)}: nginx: ${was ?? 'refuses'}; Viaduct: ${is}`);
  }
  return { probes: probes.length, reported, unreported };
}

/** Which content a client gets, by its backend or its octets; null without one. */
function contentOf(response: RealResponse | null): string | null {
  if (response === null || response.status >= 300) return null;
  const text = response.body.toString('utf8');
  if (!response.fields.some(([name]) => name === MARK)) return `${response.body.length} octets ${text.slice(0, 60)}`;
  if (text === '') return 'a backend';
  const { to, target } = JSON.parse(text) as Seen;
  return `${to} gets ${target}`;
}
