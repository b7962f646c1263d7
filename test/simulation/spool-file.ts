import { fail } from './failure.ts';
import { MemoryFile, systemError } from './files.ts';
import type { Machine } from './machine.ts';

type Listener = (value: unknown) => void;

/** As much of `fs.WriteStream` as the server uses for a request's content. The disk may be slow, or full at any write. */
export class SpoolFile {
  readonly path: string;
  readonly #machine: Machine;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #file = new MemoryFile();
  #writes: Buffer[] = [];
  #created = false;
  #busy = false;
  #ended = false;
  #destroyed = false;
  #needsDrain = false;

  constructor(machine: Machine, path: string) {
    this.#machine = machine;
    this.path = path;
    if (machine.files.byPath.has(path)) fail(`the spool file ${path} exists already`);
    this.#later('create', () => {
      this.#created = true;
      if (!machine.files.hasDirectoryOf(path)) {
        this.#break('ENOENT');
        return;
      }
      machine.files.byPath.set(path, this.#file);
      if (this.#destroyed) this.#close();
      else this.#work();
    });
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  once(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  write(block: Buffer): boolean {
    this.#writes.push(block);
    this.#work();
    this.#needsDrain ||= this.#machine.random.chance(0.5);
    return !this.#needsDrain;
  }

  end(): void {
    this.#ended = true;
    this.#work();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    if (this.#created) this.#close();
  }

  /** Does the next write. One at a time is under way. */
  #work(): void {
    if (!this.#created || this.#busy || this.#destroyed) return;
    if (this.#writes.length === 0 && !this.#ended) return;
    this.#busy = true;
    this.#later('write', () => {
      this.#busy = false;
      if (this.#destroyed) return;
      const block = this.#writes.shift();
      if (block === undefined) this.#finish();
      else if (this.#machine.random.chance(this.#machine.conditions.diskFailures)) this.#break('ENOSPC');
      else this.#wrote(block);
    });
  }

  #wrote(block: Buffer): void {
    this.#file.append(block);
    if (this.#writes.length === 0 && this.#needsDrain && !this.#ended) {
      this.#needsDrain = false;
      this.#emit('drain');
    }
    this.#work();
  }

  #finish(): void {
    this.#destroyed = true;
    this.#emit('finish');
    this.#emit('close');
  }

  #break(code: string): void {
    this.destroy();
    this.#emit('error', systemError(code, this.path));
  }

  #close(): void {
    this.#later('close', () => this.#emit('close'));
  }

  #later(kind: string, run: () => void): void {
    const { schedule, server } = this.#machine;
    schedule.after(server, this.#machine.delay(), kind, run);
  }

  #emit(event: string, value?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value);
  }
}
