import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Chooses the two cores: all of a stack on one, the load generator and this program on the other, and not on two threads of one
 * physical core where the machine has more.
 *
 * @param {{ server?: number, load?: number }} wanted what the command line names
 * @returns {{ server: number, load: number, shared: boolean }} `shared`: both are threads of one physical core
 */
export function chooseCores(wanted) {
  const status = readFileSync('/proc/self/status', 'utf8');
  const allowed = parseList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '');
  if (allowed.length < 2) throw new Error(`Cannot run the benchmark on ${allowed.length} core: it needs two`);
  const load = wanted.load ?? allowed.find((core) => core !== wanted.server) ?? 0;
  const others = allowed.filter((core) => core !== load);
  const server = wanted.server ?? others.find((core) => !siblings(load).includes(core)) ?? others[0] ?? 0;
  return { server, load, shared: siblings(load).includes(server) };
}

/** Moves this program, and what it starts without another core, to `core`. */
export function pinSelf(core) {
  const result = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)], { encoding: 'utf8' });
  if (result.error !== undefined || result.status !== 0)
    throw new Error(
      `Cannot pin to core ${core}: ${result.error?.message ?? result.stderr}. Install util-linux (taskset)`,
    );
}

function siblings(core) {
  try {
    return parseList(readFileSync(`/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`, 'utf8').trim());
  } catch {
    return [core];
  }
}

/** `0-2,5` as [0, 1, 2, 5]. */
function parseList(list) {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
