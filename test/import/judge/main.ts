import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { type Lifetime, nestedLifetime } from '../../support/lifetime.ts';
import { chooseSeed } from '../../support/random.ts';
import { describeDifference, judge } from './judge.ts';
import { type Place, preparePlace } from './place.ts';
import { judgeServed, type Served } from './served.ts';

const USAGE = `npm run judge -- [options]

  --seed N     seed of the first configuration; the others count up from it. Default: from the clock
  --count N    how many configurations. Default: 1000
  --served     compare nginx with a server that has the imported settings, instead of with the model
  --keep DIR   write what belongs to a difference that the report does not name into this directory
  --help       this`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      count: { type: 'string', default: '1000' },
      served: { type: 'boolean', default: false },
      keep: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const seed = values.seed === undefined ? chooseSeed() : Number(values.seed);
  const count = Number(values.count);
  const releases: (() => void | Promise<void>)[] = [];
  const lifetime = nestedLifetime({ after: (release) => void releases.push(release) });
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  try {
    const place = await preparePlace(lifetime);
    const range = { seed, count, interrupted: interrupted.signal };
    return await (values.served ? runServed(lifetime, range, place, values.keep ?? null) : run(lifetime, range, place));
  } finally {
    for (const release of releases) await release();
  }
}

interface Range {
  readonly seed: number;
  readonly count: number;
  readonly interrupted: AbortSignal;
}

async function run(t: Lifetime, { seed, count, interrupted }: Range, place: Place): Promise<number> {
  const totals = { probes: 0, refused: 0, differences: 0 };
  const unknown = new Map<string, number>();
  let each = seed;
  for (; each < seed + count && !interrupted.aborted; each += 1) {
    const verdict = await judge(t, each, place);
    totals.probes += verdict.probes;
    for (const [reason, times] of verdict.unknown) unknown.set(reason, (unknown.get(reason) ?? 0) + times);
    if (verdict.refused !== null) {
      totals.refused += 1;
      console.log(`seed ${each}: nginx refuses it: ${verdict.refused}`);
    }
    if (verdict.difference === null) continue;
    totals.differences += 1;
    console.log(describeDifference(verdict.difference));
  }
  const reasons = [...unknown].map(([reason, times]) => `${times} × ${reason}`).join('; ');
  console.log(
    `seeds ${seed} to ${each - 1}: ${totals.probes} probes, ${totals.differences} configurations with a difference, ` +
      `${totals.refused} that nginx refuses; not known: ${reasons === '' ? 'nothing' : reasons}`,
  );
  return totals.differences === 0 ? 0 : 1;
}

async function runServed(
  t: Lifetime,
  { seed, count, interrupted }: Range,
  place: Place,
  directory: string | null,
): Promise<number> {
  const totals = { probes: 0, reported: 0, unreported: 0, configurations: 0 };
  let each = seed;
  for (; each < seed + count && !interrupted.aborted; each += 1) {
    const served = await judgeServed(t, each, place).catch(failed(each));
    const { probes, reported, unreported } = served;
    totals.probes += probes;
    totals.reported += reported;
    totals.unreported += unreported.length;
    if (unreported.length === 0) continue;
    totals.configurations += 1;
    for (const one of unreported.slice(0, 3)) console.log(`seed ${each}: ${one}`);
    if (directory !== null) keep(served, directory);
  }
  console.log(
    `seeds ${seed} to ${each - 1}: ${totals.probes} probes; content differs for ${totals.reported} that the report names ` +
      `and ${totals.unreported} that it does not name, in ${totals.configurations} configurations`,
  );
  return totals.unreported === 0 ? 0 : 1;
}

/** A configuration that cannot be imported, or whose settings cannot be served, is one with a difference. */
function failed(seed: number): (error: unknown) => Served {
  return (error) => ({
    ...{ seed, probes: 0, reported: 0, configuration: '', toml: '', report: [] },
    unreported: [inspect(error)],
  });
}

/** Writes all that a person needs who looks into a difference. Lines of the configuration count as in the report. */
function keep({ seed, configuration, toml, report, unreported }: Served, directory: string): void {
  mkdirSync(directory, { recursive: true });
  const write = (kind: string, text: string) => writeFileSync(join(directory, `${seed}.${kind}`), text);
  write('conf', `http {\n${configuration}}\n`);
  write('toml', toml);
  write('report', `${report.join('\n')}\n`);
  write('differences', `${unreported.join('\n')}\n`);
}
