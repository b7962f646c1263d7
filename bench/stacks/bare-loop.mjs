import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isRunning, startPinned, tail } from '../processes.mjs';
import { APPS, inspectPackage, PYTHON } from './programs.mjs';

/** No server: the handler called in a loop, the upper limit. @type {import('./index.mjs').Stack} */
export const bareLoop = {
  inspect() {
    const django = inspectPackage('django');
    return 'version' in django ? { version: `of Django ${django.version}` } : django;
  },
  start(job) {
    const fields = (job.fields ?? []).map(([name, value]) => `${name}: ${value}`);
    const args = [join(APPS, 'bare_loop.py'), job.application, ...fields];
    const child = startPinned(PYTHON, args, { ...job, cwd: job.chdir, stdio: 'pipe' });
    child.stdin.on('error', () => {});
    child.answers = createInterface({ input: child.stdout });
    return [child];
  },
  async ready(server) {
    await nextAnswer(server);
  },
  async load(server, seconds) {
    const [child] = server.children;
    const answer = nextAnswer(server);
    child.stdin.write(`${seconds}\n`);
    return { ...(await answer), bytes: 0, failure: null };
  },
};

async function nextAnswer(server) {
  const [child] = server.children;
  const [line] = await Promise.race([once(child.answers, 'line'), once(child.answers, 'close')]);
  if (line !== undefined) return JSON.parse(line);
  throw new Error(
    `Cannot measure the bare loop: it ${isRunning(child) ? 'closed its output' : 'ended'}\n${tail(server.log)}`,
  );
}
