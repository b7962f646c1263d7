import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { fail } from './failure.ts';
import { MemoryFile, type SimFile, systemError } from './files.ts';
import type { Machine } from './machine.ts';

/** Where the simulated files are. Other paths reach the real system. */
export const SIMULATED = '/simulated';
const OF_PROCESS = /^\/proc\/(\d{7,})\/fd\/(\d+)$/;
const UNNAMED = /\/viaduct-spool-[^/]+$/;

type Done<T> = (error: Error | null, value?: T) => void;

/** Puts the files of the machine that `current` returns in place of those that `node:fs` would open. */
export function installFiles(current: () => Machine): void {
  const real = { ...fs };
  const isOurs = (path: unknown): path is string =>
    typeof path === 'string' && (path.startsWith(`${SIMULATED}/`) || OF_PROCESS.test(path));
  const isOpen = (descriptor: number): boolean => descriptor > 1_000_000;
  let directories = 0;
  /** Descriptors that are being written. The number of a closed one may be another file's a moment later. */
  const written = new Set<number>();

  /** Calls `done` with what `work` returns or throws, some time later. */
  function later<T>(kind: string, done: Done<T>, work: (machine: Machine) => T): void {
    const machine = current();
    machine.schedule.after(machine.server, machine.delay(), kind, () => {
      let result: T | undefined;
      try {
        result = work(machine);
      } catch (error) {
        done(error as Error);
        return;
      }
      done(null, result);
    });
  }

  Object.assign(fs, {
    mkdtempSync: () => {
      directories += 1;
      return current().files.makeDirectory(`${SIMULATED}/viaduct-${directories}`);
    },
    lstatSync: (path: string, options?: object) =>
      isOurs(path) ? entryAt(current(), path) : real.lstatSync(path, options),
    rmSync: (path: string, options?: { recursive?: boolean }) => {
      if (!isOurs(path)) real.rmSync(path, options);
      else if (options?.recursive === true) current().files.removeDirectory(path);
      else current().files.byPath.delete(path);
    },
    openSync: (path: string, ...rest: [string]) =>
      isOurs(path) ? open(current(), path) : real.openSync(path, ...rest),
    open: (path: string, flags: number | string, ...rest: readonly [...number[], Done<number>]) => {
      later('open', rest.at(-1) as Done<number>, (machine) => {
        if (machine.random.chance(machine.conditions.openFailures)) throw systemError('EMFILE', path);
        return flags === 'wx' ? create(machine, path) : open(machine, path);
      });
    },
    write: (descriptor: number, block: Buffer, from: number, length: number, position: number, done: Done<number>) => {
      written.add(descriptor);
      later('write', done, (machine) => {
        written.delete(descriptor);
        if (machine.random.chance(machine.conditions.diskFailures)) throw systemError('ENOSPC', `${descriptor}`);
        const count = machine.random.chance(0.8) ? length : machine.random.integer(1, length);
        (machine.files.fileOf(descriptor) as MemoryFile).write(block.subarray(from, from + count), position);
        return count;
      });
    },
    read: (descriptor: number, into: Buffer, _to: number, length: number, position: number, done: Done<number>) => {
      later('read file', done, (machine) => {
        machine.files.fileOf(descriptor).read(into, position);
        return length;
      });
    },
    close: (descriptor: number, done: Done<undefined>) => {
      if (written.has(descriptor)) fail(`descriptor ${descriptor} is closed while it is written`);
      later('close file', done, (machine) => {
        machine.files.close(descriptor);
        return undefined;
      });
    },
    unlink: (path: string, done: Done<undefined>) => {
      later('unlink', done, (machine) => {
        machine.files.byPath.delete(path);
        return undefined;
      });
    },
    fstatSync: (descriptor: number) =>
      isOpen(descriptor)
        ? { size: current().files.fileOf(descriptor).size, isFile: (): boolean => true }
        : real.fstatSync(descriptor),
    readSync: (descriptor: number, into: Buffer, ...rest: [number, number, number]) => {
      if (!isOpen(descriptor)) return real.readSync(descriptor, into, ...rest);
      current().files.fileOf(descriptor).read(into, rest[2]);
      return into.length;
    },
    closeSync: (descriptor: number) => {
      if (isOpen(descriptor)) current().files.close(descriptor);
      else real.closeSync(descriptor);
    },
  });
  Object.assign(fsPromises, {
    readdir: () => Promise.resolve([]), // no other server has left a directory
    unlink: (path: string) =>
      new Promise<void>((resolve, reject) => {
        const machine = current();
        machine.schedule.after(machine.server, machine.delay(), 'unlink', () => {
          if (machine.files.byPath.delete(path)) resolve();
          else reject(systemError('ENOENT', path));
        });
      }),
  });
}

/** A private directory, or the socket in one. */
function entryAt({ files }: Machine, path: string): object {
  const isDirectory = files.hasDirectory(path);
  if (!isDirectory && !files.hasDirectoryOf(path)) throw systemError('ENOENT', path);
  const owner = { dev: 1, ino: Number(/\d+/.exec(path)?.[0]), uid: process.geteuid?.(), mode: 0o700 };
  return { ...owner, isDirectory: () => isDirectory, isSocket: () => !isDirectory };
}

/** Makes a file for the content of a request. */
function create(machine: Machine, path: string): number {
  if (machine.files.byPath.has(path)) fail(`the spool file ${path} exists already`);
  if (!machine.files.hasDirectoryOf(path)) throw systemError('ENOENT', path);
  const file = new MemoryFile();
  machine.files.byPath.set(path, file);
  return machine.files.openFile(file, path);
}

function open(machine: Machine, path: string): number {
  if (UNNAMED.test(path)) return machine.files.openFile(new MemoryFile(), path);
  const [, pid, descriptor] = OF_PROCESS.exec(path) ?? [];
  if (pid === undefined) return machine.files.openPath(path);
  const file: SimFile | undefined = machine.processes.get(Number(pid))?.descriptors.get(Number(descriptor));
  if (file === undefined) throw systemError('ENOENT', path);
  return machine.files.openFile(file, path);
}
