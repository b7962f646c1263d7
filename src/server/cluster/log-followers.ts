import type { LogFilter } from '../../log/log-tap.ts';
import type { ServerProcess } from './server-process.ts';

interface Follower {
  readonly filter: LogFilter;
  readonly onLine: (line: string) => void;
}

type Receiver = Pick<ServerProcess, 'send'>;

/** Those who follow the logs of all server processes. One that starts later sends its lines, too. */
export class LogFollowers {
  readonly #processes: () => readonly Receiver[];
  readonly #followers = new Map<number, Follower>();
  #lastId = 0;

  /** `processes` are the server processes that run now. */
  constructor(processes: () => readonly Receiver[]) {
    this.#processes = processes;
  }

  /** Calls `onLine` with each line that passes `filter`, until the returned function is called. */
  follow(filter: LogFilter, onLine: (line: string) => void): () => void {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#followers.set(id, { filter, onLine });
    for (const serverProcess of this.#processes()) serverProcess.send({ kind: 'follow', id, filter });
    return () => {
      this.#followers.delete(id);
      for (const serverProcess of this.#processes()) serverProcess.send({ kind: 'unfollow', id });
    };
  }

  /** A server process that has started sends its lines to all of them. */
  join(serverProcess: Receiver): void {
    for (const [id, { filter }] of this.#followers) serverProcess.send({ kind: 'follow', id, filter });
  }

  /** Lines of a server process for the follower with this id, which may have left. */
  received(id: number, lines: string): void {
    const follower = this.#followers.get(id);
    for (const line of lines.split('\n')) if (line !== '') follower?.onLine(line);
  }
}
