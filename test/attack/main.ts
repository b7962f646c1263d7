import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseSeed } from '../support/random.ts';
import { ROOT } from '../support/viaduct.ts';
import { Report } from './report.ts';
import { Round } from './round.ts';

const USAGE = `npm run attack -- [options]

  --minutes N     how long to attack, in rounds. Default: one round
  --seed N        seed of the first round, to repeat a finding. Default: from the clock
  --only NAMES    attacks whose names contain one of these words, with commas. Also: fuzz, soak
  --cases N       cases of each fuzzer in a round. Default: 2000
  --soak N        seconds of the soak in a round. Default: 60
  --write         writes the figures into docs/security.md
  --help          this`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      minutes: { type: 'string', default: '0' },
      seed: { type: 'string' },
      only: { type: 'string', default: '' },
      cases: { type: 'string', default: '2000' },
      soak: { type: 'string', default: '60' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const minutes = whole('--minutes', values.minutes);
  const options = { cases: whole('--cases', values.cases), soakMs: whole('--soak', values.soak) * 1000 };
  const words = values.only.split(',').filter((word) => word !== '');
  let seed = values.seed === undefined ? chooseSeed() : whole('--seed', values.seed);
  const report = new Report();
  const end = performance.now() + minutes * 60_000;
  do {
    const round = new Round(seed, words, report);
    const interrupt = () => void round.end().finally(() => process.exit(130));
    process.once('SIGINT', interrupt);
    await round.run(options);
    process.off('SIGINT', interrupt);
    seed += 1;
  } while (performance.now() < end);
  report.print();
  if (values.write) report.writeInto(join(ROOT, 'docs/security.md'));
  return report.findings.length === 0 ? 0 : 1;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Error(`Cannot use ${name} "${text}": it is not a whole number`);
}
