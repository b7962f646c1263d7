import { join } from 'node:path';
import type { Probe } from '../../../src/import/check/outcome.ts';
import { chosenProbes } from '../../../src/import/nginx/check/chosen-probes.ts';
import { buildModel } from '../../../src/import/nginx/model/build-model.ts';
import { decideFrom } from '../../../src/import/nginx/model/decide.ts';
import type { Model } from '../../../src/import/nginx/model/model.ts';
import { parseTree } from '../../../src/import/nginx/tree.ts';
import type { Lifetime } from '../../support/lifetime.ts';
import { type Answers, askBoth } from './ask-both.ts';
import type { RealResponse } from './ask-nginx.ts';
import { line, render } from './configuration.ts';
import { generate } from './generate.ts';
import type { Place } from './place.ts';
import { realDisk } from './site.ts';
import { MARK, type Seen } from './stubs.ts';

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
  const plain = chosenProbes(model, { client: '127.0.0.1' }).filter(({ client }) => client.startsWith('127.'));
  const probes = [...plain, ...otherSpellings(plain, model)];
  const answers = await askBoth(t, text.slice('http {\n'.length, -2), probes, place);
  return compare(model, probes, answers);
}

/** The same paths as other clients spell them. What the report says of `merge_slashes off` is left out. */
function otherSpellings(probes: readonly Probe[], { servers }: Model): Probe[] {
  const spellings = servers.every(({ mergesSlashes }) => mergesSlashes) ? [...SPELLINGS, twoSlashes] : SPELLINGS;
  return probes
    .filter(({ method, target }) => method === 'GET' && /^\/\w/.test(target))
    .map((probe, index) => ({ ...probe, target: (spellings[index % spellings.length] as Spelling)(probe.target) }));
}

type Spelling = (target: string) => string;

const SPELLINGS: readonly Spelling[] = [
  (target) => target.replace(/\w/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  (target) => target.replace(/(\w)\/(?=[^?]*)/, '$1%2F'),
];

function twoSlashes(target: string): string {
  return `/${target}`;
}

function compare(model: Model, probes: readonly Probe[], { nginx, viaduct, findings }: Answers): Served {
  let reported = 0;
  const unreported: string[] = [];
  for (const [index, probe] of probes.entries()) {
    const { outcome, from: level } = decideFrom(model, probe, realDisk);
    // which backend of a group gets a request is not settled
    const group = outcome.kind === 'backend' ? outcome.to : [];
    const [was, is] = [contentOf(nginx[index] ?? null, group), contentOf(viaduct[index] ?? null, group)];
    if (is === null || was === is) continue;
    const line = level?.statement.line ?? 0;
    const server = Math.max(...model.servers.map(({ statement }) => statement.line).filter((one) => one <= line));
    if (findings.some(({ from }) => from.line === line || from.line === server)) reported += 1;
    else unreported.push(`line ${line}: ${JSON.stringify(probe)}: nginx: ${was ?? 'refuses'}; Viaduct: ${is}`);
  }
  return { probes: probes.length, reported, unreported };
}

/** Which content a client gets, by its backend or its octets; null without one. */
export function contentOf(response: RealResponse | null, group: readonly string[] = []): string | null {
  if (response === null || response.status >= 300) return null;
  const text = response.body.toString('utf8');
  if (!response.fields.some(([name]) => name === MARK)) return `${response.body.length} octets ${text.slice(0, 60)}`;
  if (text === '') return 'a backend';
  const { to, target } = JSON.parse(text) as Seen;
  return `${group.includes(to) ? group.join(' or ') : to} gets ${plainTarget(target)}`;
}

/** Servers pass a target on as received, or as they spell it, which is the same for the backend. */
function plainTarget(target: string): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const bytes = Buffer.from(path)
    .toString('latin1')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return `${bytes.replace(/\/{2,}/g, '/')}?${query}`;
}
