import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [growth] [options]

  growth              curves in place of scenarios: what a request costs while connections, lanes, routes … grow
  --only NAMES        only these scenarios, with commas: hello,static; or these curves: connections,blocks
  --rounds N          measurements of each stack in turns. Default: 5, of growth 3
  --seconds N         length of one measurement. Default: 3, of growth 1
  --quick             one round of one second: whether everything runs, not how fast. Of growth every second point
  --before DIR        compare with Viaduct in DIR, the built checkout of an earlier commit, instead of with peers
  --server-core N     core for all processes of a stack. Default: chosen
  --load-core N       core for the load generator. Default: chosen
  --render FILE       table and chart from the JSON of an earlier run
  --list              names of the scenarios, or of the curves
  --help              this`;

/**
 * Reads the command line.
 *
 * @param {readonly string[]} argv
 */
export function readOptions(argv) {
  const growth = argv[0] === 'growth';
  const { values } = parseArgs({
    args: argv.slice(growth ? 1 : 0),
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      before: { type: 'string' },
      'server-core': { type: 'string' },
      'load-core': { type: 'string' },
      render: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, before, render, list, help } = values;
  if (growth && before !== undefined)
    throw new Error(
      'Cannot use --before with growth: a curve is compared with a peer. Run the scenarios with --before',
    );
  return {
    growth,
    only: values.only.flatMap((names) => names.split(',')).filter((name) => name !== ''),
    rounds: whole('--rounds', values.rounds, quick ? 1 : growth ? 3 : 5, 1, 100),
    seconds: whole('--seconds', values.seconds, quick || growth ? 1 : 3, 1, 600),
    cores: {
      server: whole('--server-core', values['server-core'], undefined, 0, 4096),
      load: whole('--load-core', values['load-core'], undefined, 0, 4096),
    },
    quick,
    before,
    render,
    list,
    help,
  };
}

function whole(name, text, otherwise, min, max) {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`Cannot use ${name} "${text}": it is a whole number from ${min} to ${max}`);
}
