import { parseArgs } from 'node:util';
import { nestedLifetime } from '../../support/lifetime.ts';
import { chooseSeed } from '../../support/random.ts';
import { describeDifference, judge } from './judge.ts';
import { preparePlace } from './place.ts';

const USAGE = `npm run judge -- [options]

  --seed N     seed of the first configuration; the others count up from it. Default: from the clock
  --count N    how many configurations. Default: 1000
  --help       this`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      count: { type: 'string', default: '1000' },
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
  const end = async () => {
    for (const release of releases.splice(0)) await release();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().finally(() => process.exit(130)));
  try {
    const place = await preparePlace(lifetime);
    return await run(lifetime, seed, count, place);
  } finally {
    await end();
  }
}

async function run(
  t: Parameters<typeof judge>[0],
  seed: number,
  count: number,
  place: Parameters<typeof judge>[2],
): Promise<number> {
  const totals = { probes: 0, refused: 0, differences: 0 };
  const unknown = new Map<string, number>();
  for (let each = seed; each < seed + count; each += 1) {
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
    `seeds ${seed} to ${seed + count - 1}: ${totals.probes} probes, ${totals.differences} configurations with a difference, ` +
      `${totals.refused} that nginx refuses; not known: ${reasons === '' ? 'nothing' : reasons}`,
  );
  return totals.differences === 0 ? 0 : 1;
}
