import { readdirSync, readFileSync } from 'node:fs';

/** `utime` and `stime` count in this unit on every Linux (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** A process and all that descend from it. */
export function tree(root) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    const stat = readStat(name);
    if (stat === null) continue;
    const parent = Number(stat[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** When a process started, in ticks since the machine did: a pid may be used again. Null when it has ended, reaped or not. */
export function startTime(pid) {
  const stat = readStat(pid);
  return stat === null || stat[0] === 'Z' ? null : stat[19];
}

/** Processor time of these processes so far, in seconds, user and system, all threads. */
export function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readStat(pid);
    if (stat !== null) ticks += Number(stat[11]) + Number(stat[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Proportional set size of these processes together, in bytes: a shared page counts once among those who share it. */
export function pssBytes(pids) {
  return sum(pids, (pid) => kilobytes(read(`/proc/${pid}/smaps_rollup`), 'Pss'));
}

/** Resident set size of these processes, in bytes. */
export function rssBytes(pids) {
  return sum(pids, (pid) => kilobytes(read(`/proc/${pid}/status`), 'VmRSS'));
}

/** The fields after the name, which may itself hold blanks and brackets: [0] is the state, [1] the parent. */
function readStat(pid) {
  if (!/^\d+$/.test(String(pid))) return null;
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function kilobytes(text, name) {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

function sum(pids, bytesOf) {
  return pids.reduce((total, pid) => total + bytesOf(pid), 0);
}

/** Empty when the process has gone meanwhile. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
