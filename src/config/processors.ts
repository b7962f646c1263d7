import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * The number of processor cores that this process can keep busy, at least 1: those that it may run on, and on Linux no
 * more than the CPU quotas of its control groups allow, rounded up. A container with a limit of 1.5 processors has such a
 * quota.
 *
 * @param root where `/proc` and `/sys` are
 */
export function usableProcessors(root = '/', processors = availableParallelism()): number {
  const quotas = controlGroups(root).map(quotaOf);
  return Math.max(1, Math.min(processors, ...quotas.map(Math.ceil)));
}

/** The directories with the limits of this process (cgroups(7)): its control groups and all that contain them. */
function controlGroups(root: string): string[] {
  const top = join(root, 'sys/fs/cgroup');
  return (read(join(root, 'proc/self/cgroup')) ?? '').split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers === '') return upwards(top, path); // version 2
    return controllers.split(',').includes('cpu') ? upwards(join(top, controllers), path) : [];
  });
}

function upwards(top: string, path: string): string[] {
  const directories = [top];
  // In a container, the path may lead out of what is mounted there; then only the top counts.
  for (let at = path; at !== '/' && !at.includes('..'); at = dirname(at)) directories.push(join(top, at));
  return directories;
}

/** The quota in processors; infinite without one. */
function quotaOf(directory: string): number {
  const [quota, period] = read(join(directory, 'cpu.max'))?.split(' ') ?? [
    read(join(directory, 'cpu.cfs_quota_us')),
    read(join(directory, 'cpu.cfs_period_us')),
  ];
  const processors = Number(quota) / Number(period);
  return processors > 0 ? processors : Number.POSITIVE_INFINITY; // without a quota it is "max" or -1
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return null;
  }
}
