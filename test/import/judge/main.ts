import { parseArgs } from 'node:util';
import { type Lifetime, nestedLifetime } from '../../support/lifetime.ts';
import { chooseSeed } from '../../support/random.ts';
import { describeDifference, judge } from './judge.ts';
import { type Place, preparePlace } from './place.ts';
import { judgeServed } from './served.ts';

const USAGE = `npm run judge -- [options]

  --seed N     seed of the first configuration; the others count up from it. Default: from the clock
  --count N    how many configurations. Default: 1000
  --served     compare nginx with a server that has the imported settings, instead of with the model
  --help       this`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      count: { type: 'string', default: '1000' },
      served: { type: 'boolean', default: false },
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
    const judgeAll = values.served ? runServed : run;
    return await judgeAll(lifetime, seed, count, place, interrupted.signal);
  } finally {
    for (const release of releases) await release();
  }
}

async function run(t: Lifetime, seed: number, count: number, place: Place, interrupted: AbortSignal): Promise<number> {
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
  seed: number,
  count: number,
  place: Place,
  interrupted: AbortSignal,
): Promise<number> {
  const totals = { probes: 0, reported: 0, unreported: 0 };
  let each = seed;
  for (; each < seed + count && !interrupted.aborted; each += 1) {
    const { probes, reported, unreported } = await judgeServed(t, each, place);
    totals.probes += probes;
    totals.reported += reported;
    totals.unreported += unreported.length;
    for (const one of unreported.slice(0, 3)) console.log(`seed ${each}: ${one}`);
  }
  console.log(
    `seeds ${seed} to ${each - 1}: ${totals.probes} probes; content differs for ${totals.reported} that the report names ` +
      `and ${totals.unreported} that it does not name`,
  );
  return totals.unreported === 0 ? 0 : 1;
}
