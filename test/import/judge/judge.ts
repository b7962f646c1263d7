import type { Outcome, Probe } from '../../../src/import/check/outcome.ts';
import { buildModel } from '../../../src/import/nginx/model/build-model.ts';
import { decide } from '../../../src/import/nginx/model/decide.ts';
import type { Model } from '../../../src/import/nginx/model/model.ts';
import { probesOf } from '../../../src/import/nginx/model/probes.ts';
import { parseTree } from '../../../src/import/nginx/tree.ts';
import type { Lifetime } from '../../support/lifetime.ts';
import { askNginx } from './ask-nginx.ts';
import { type Node, render, smaller } from './configuration.ts';
import { differenceOf } from './difference.ts';
import { generate } from './generate.ts';
import type { Place } from './place.ts';
import { startRealNginx } from './real-nginx.ts';
import { FILE_PATHS, realDisk } from './site.ts';

/** How many probes are on their way at once. */
const AT_ONCE = 24;

/** A request that nginx and the model treat differently. */
export interface Difference {
  readonly seed: number;
  readonly configuration: string;
  readonly probe: Probe;
  readonly difference: string;
}

export interface Verdict {
  /** Why nginx refused the configuration, or null. */
  readonly refused: string | null;
  readonly probes: number;
  /** By their reason. */
  readonly unknown: ReadonlyMap<string, number>;
  readonly difference: Difference | null;
  /** The probes that were on their way when nginx differed. */
  readonly suspects: readonly Probe[];
}

/** Compares nginx with the model for the configuration of a seed. A difference comes with the smallest configuration that still shows it. */
export async function judge(t: Lifetime, seed: number, place: Place): Promise<Verdict> {
  const nodes = generate(seed, place);
  const first = await compare(t, seed, nodes, place, null);
  if (first.difference === null) return first;
  // a crash of nginx meets all probes that are on their way
  for (const probe of first.suspects) {
    const { difference } = await compare(t, seed, nodes, place, probe);
    if (difference !== null) return { ...first, difference: await shrink(t, seed, nodes, place, difference) };
  }
  return first;
}

async function compare(
  t: Lifetime,
  seed: number,
  nodes: readonly Node[],
  place: Place,
  only: Probe | null,
): Promise<Verdict> {
  const text = render(nodes);
  const nginx = await startRealNginx(t, place.directory, text);
  if (typeof nginx === 'string')
    return { refused: nginx, probes: 0, unknown: new Map(), difference: null, suspects: [] };
  try {
    const model = buildModel(parseTree(`http {\n${text}}\n`, 'nginx.conf'), place.directory);
    const probes = only === null ? reachable(probesOf(model, { client: '127.0.0.1', paths: FILE_PATHS })) : [only];
    const { unknown, found, suspects } = await askAll(model, probes);
    const difference = found === null ? null : { seed, configuration: text, ...found };
    return { refused: null, probes: probes.length, unknown, difference, suspects };
  } finally {
    await nginx.stop();
  }
}

/** This machine has only addresses of 127.0.0.0/8. */
function reachable(probes: readonly Probe[]): Probe[] {
  return probes.filter(({ client }) => client.startsWith('127.'));
}

async function askAll(model: Model, probes: readonly Probe[]) {
  const unknown = new Map<string, number>();
  let suspects: readonly Probe[] = [];
  let found: { readonly probe: Probe; readonly difference: string } | null = null;
  for (let at = 0; at < probes.length && found === null; at += AT_ONCE) {
    const results = await Promise.all(probes.slice(at, at + AT_ONCE).map((probe) => ask(model, probe)));
    for (const { probe, expected, difference } of results) {
      if (expected.kind === 'unknown') unknown.set(expected.reason, (unknown.get(expected.reason) ?? 0) + 1);
      if (difference !== null) found ??= { probe, difference };
    }
    if (found !== null) suspects = [found.probe, ...results.map(({ probe }) => probe)];
  }
  return { unknown, found, suspects };
}

async function ask(
  model: Model,
  probe: Probe,
): Promise<{ probe: Probe; expected: Outcome; difference: string | null }> {
  const expected = decide(model, probe, realDisk);
  if (expected.kind === 'unknown') return { probe, expected, difference: null };
  try {
    return { probe, expected, difference: differenceOf(probe, expected, await askNginx(probe)) };
  } catch (error) {
    return { probe, expected, difference: error instanceof Error ? error.message : String(error) };
  }
}

/** Drops directives as long as the probe still shows a difference. */
async function shrink(
  t: Lifetime,
  seed: number,
  from: readonly Node[],
  place: Place,
  first: Difference,
): Promise<Difference> {
  let nodes = from;
  let best = first;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smaller(nodes)) {
      const { difference } = await compare(t, seed, candidate, place, first.probe);
      // without its server, nginx does not accept the connection
      if (difference === null || difference.difference.startsWith('connect ')) continue;
      nodes = candidate;
      best = difference;
      isSmaller = true;
      break;
    }
  }
  return best;
}

/** A difference with all that repeats it. */
export function describeDifference({ seed, difference, probe, configuration }: Difference): string {
  return `seed ${seed}: ${difference}\n${JSON.stringify(probe)}\n${configuration}`;
}
