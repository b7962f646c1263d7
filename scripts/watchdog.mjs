/**
 * Loaded before each test file by `runTests`. Ends the process if no test starts or ends for a long time, and writes which tests ran and what
 * is still open. So a test that hangs holds the run for minutes only. Node's own time-out names only the file, and from Node 22 on it does
 * not end a process that has an open handle.
 */
import { readFileSync, writeSync } from 'node:fs';
import { relative } from 'node:path';
import { afterEach, beforeEach } from 'node:test';

/** The start of the line that it writes to standard error. */
export const HUNG = 'hung: ';

/** Much longer than any test takes on a slow machine. */
const QUIET_SECONDS = 300;

if (process.env.NODE_TEST_CONTEXT?.startsWith('child'))
  watch(Number(process.env.VIADUCT_QUIET_SECONDS ?? QUIET_SECONDS));

function watch(seconds) {
  const running = [];
  let quiet = 0;
  beforeEach(({ name }) => {
    quiet = 0;
    running.push(name);
  });
  afterEach(({ name }) => {
    quiet = 0;
    running.splice(running.indexOf(name), 1);
  });
  // Seconds are counted, because a machine that was suspended is not a test that hangs.
  const timer = setInterval(() => {
    quiet += 1;
    if (quiet >= seconds) end(running, seconds);
  }, 1000);
  timer.unref();
}

function end(running, seconds) {
  const tests = running.length === 0 ? 'no test runs' : running.map((name) => `"${name}"`).join(' and ');
  const children = childrenOf(process.pid);
  const open = [...counted(process.getActiveResourcesInfo()), ...children.map(({ command }) => `process "${command}"`)];
  const file = relative(process.cwd(), process.argv[1]);
  writeSync(2, `${HUNG}nothing happened for ${seconds} s in ${file}: ${tests}; still open: ${open.join(', ')}\n`);
  for (const { pid } of children) process.kill(pid, 'SIGTERM');
  process.exit(1);
}

/** Each name with its number, as in `Timeout × 2`. */
function counted(names) {
  return [...new Set(names)].map((name) => `${name} × ${names.filter((other) => other === name).length}`);
}

/** The processes that this one has started. None where the system has no /proc. */
function childrenOf(pid) {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
    return pids.map((child) => {
      const command = readFileSync(`/proc/${child}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      return { pid: Number(child), command };
    });
  } catch {
    return [];
  }
}
