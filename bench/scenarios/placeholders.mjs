import { once } from 'node:events';
import { join } from 'node:path';
import { startPinned, stop } from '../processes.mjs';
import { ROOT } from '../stacks/programs.mjs';

/** What three placeholders in a route cost a request, without a server around them. */
export const placeholdersScenario = {
  id: 'placeholders',
  title: 'Three placeholders in the fields of a response, beside plain values',
  unit: 'ns CPU',
  better: 'lower',
  stacks: ['viaduct'],
  targets: {},
  limit: 500,
  unstarted: true,
  roundsMax: 3,
  request: { path: '/' },
  answer: '',
  job: () => ({}),
  async sample({ stack, log }, { cores }) {
    const program = [join(ROOT, 'bench/fill-placeholders.mjs'), stack.changes?.root ?? ROOT];
    const child = startPinned(process.execPath, program, { core: cores.server, log, stdio: 'pipe' });
    let output = '';
    child.stdout.on('data', (block) => (output += block));
    const [code] = await once(child, 'close');
    await stop(child);
    return { value: Number(output), failure: code === 0 ? null : `exit code ${code}` };
  },
};
