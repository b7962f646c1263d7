import { join } from 'node:path';
import { findingLine } from '../../../src/import/check/finding.ts';
import type { Outcome, Probe } from '../../../src/import/check/outcome.ts';
import { chosenProbes } from '../../../src/import/nginx/check/chosen-probes.ts';
import { Claims } from '../../../src/import/nginx/check/claims.ts';
import { buildModel } from '../../../src/import/nginx/model/build-model.ts';
import { decideFrom } from '../../../src/import/nginx/model/decide.ts';
import type { Model } from '../../../src/import/nginx/model/model.ts';
import { parseTree } from '../../../src/import/nginx/tree.ts';
import type { Lifetime } from '../../support/lifetime.ts';
import { askBoth } from './ask-both.ts';
import type { RealResponse } from './ask-nginx.ts';
import { line, render } from './configuration.ts';
import { contentOf, usualContents } from './content.ts';
import { generate } from './generate.ts';
import { createNaming } from './naming.ts';
import type { Place } from './place.ts';
import { realDisk } from './site.ts';

/** What real servers did with the probes of one configuration. */
export interface Served {
  readonly seed: number;
  readonly probes: number;
  /** Differences that the report names. */
  readonly reported: number;
  /** Differences that it does not name, in words. */
  readonly unreported: readonly string[];
  readonly configuration: string;
  readonly toml: string;
  readonly report: readonly string[];
}

/**
 * Asks nginx, and then Viaduct with the imported settings, each probe at the boundaries of a configuration. A client that gets content where
 * nginx refuses it, another file or another backend is a difference.
 */
export async function judgeServed(t: Lifetime, seed: number, place: Place): Promise<Served> {
  // the import cannot know where this nginx has its files
  const root = line('root', join(place.directory, 'html'));
  const text = render([root, ...generate(seed, place)]);
  const tree = parseTree(`http {\n${text}}\n`, 'nginx.conf');
  const model = buildModel(tree, place.directory);
  const plain = chosenProbes(model, { client: '127.0.0.1' }).filter(({ client }) => client.startsWith('127.'));
  const decide = (probes: readonly Probe[]) =>
    probes.map((probe) => {
      const decided = decideFrom(model, probe, realDisk);
      return { probe, ...decided, levels: [decided.from, decided.last] as const };
    });
  const probes = [...plain, ...otherSpellings(plain, model)];
  // the routes are not known here, so all requests are made with claims that get to other paths
  const decided = [...new Claims(model).follow(probes, decide, ({ target }) => target)];
  // some of what the model does not know lets nginx crash
  const asked = decided.filter(({ probe, outcome }) => {
    return outcome.kind !== 'unknown' && !leadsUp(outcome) && !repeatsField(probe);
  });
  const answers = await askBoth(
    t,
    text,
    asked.map(({ probe }) => probe),
    place,
  );
  const isNamed = createNaming(tree, place.directory, answers.told);
  const differences = asked.flatMap((one, index) => {
    const group = one.outcome.kind === 'backend' ? one.outcome.to : [];
    const before = answers.nginx[index] ?? null;
    const [was, is] = [contentOf(before, group), contentOf(answers.viaduct[index] ?? null, group)];
    if (is === null || was === is || usualContents(model, one.probe).includes(is)) return [];
    return [{ ...one, text: `nginx ${shown(was, before)}; Viaduct ${is}` }];
  });
  const unnamed = differences.filter(({ probe, ...one }) => !isNamed(probe, one));
  return {
    seed,
    probes: asked.length,
    reported: differences.length - unnamed.length,
    unreported: unnamed.map(
      ({ from, probe, text: what }) => `line ${from?.statement.line ?? 0}: ${JSON.stringify(probe)}: ${what}`,
    ),
    configuration: text,
    toml: answers.toml,
    report: [...answers.told.findings.map((finding) => findingLine(finding, 'nginx')), ...answers.report],
  };
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

/** A path with `..` for a backend: `/x/` in the place of `/a` makes it of `/a../b`. Viaduct refuses it everywhere. */
function leadsUp(outcome: Outcome): boolean {
  return outcome.kind === 'backend' && /\/\.\.(?:\/|\?|$)/.test(outcome.target);
}

/** The first of several fields is the value of its variable before nginx 1.23; since then, and in Viaduct, they are joined. */
function repeatsField({ fields }: Probe): boolean {
  return new Set(fields.map(([name]) => name.toLowerCase())).size < fields.length;
}

/** What a server did, in words. */
function shown(content: string | null, response: RealResponse | null): string {
  if (content !== null) return content;
  if (response === null) return 'closes';
  const location = response.fields.find(([name]) => name === 'location')?.[1];
  return `answers ${response.status}${location === undefined ? '' : ` to ${location}`}`;
}
