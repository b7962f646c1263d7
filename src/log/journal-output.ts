import type { LineSink } from './access-log.ts';
import type { LoggedRequest } from './answered-request.ts';
import type { DatagramProcess } from './datagram-process.ts';
import { Datagrams } from './datagrams.ts';
import type { OutputEvents } from './direct-writer.ts';
import { accessEntry, serverEntry } from './journal-entry.ts';
import type { Fields, Level, LogStream } from './log.ts';
import { Losses } from './losses.ts';
import { countLostLines, type LostLines } from './lost-lines.ts';

/** Sends a log to systemd's journal, with the fields of each entry. It never blocks and never wants a pause. */
export class JournalOutput implements LineSink, LogStream {
  readonly writableLength = 0;
  readonly name: string;
  readonly lost: LostLines;
  readonly #losses: Losses;
  readonly #datagrams: Datagrams;

  constructor(log: LostLines['log'], process: DatagramProcess) {
    this.name = `the journal at ${process.path}`;
    this.lost = countLostLines(log, 'journal');
    this.#losses = new Losses(this.lost);
    this.#datagrams = new Datagrams(process, this.#losses);
  }

  set events(events: OutputEvents) {
    this.#losses.events = events;
  }

  /** Sends a text that belongs to no entry. */
  write(text: string): boolean {
    this.#datagrams.send(serverEntry('info', text, {}));
    return true;
  }

  writeEntry(_text: string, level: Level, message: string, fields: Fields): void {
    this.#datagrams.send(serverEntry(level, message, fields));
  }

  writeRequest(line: string, request: LoggedRequest, status: number, bodyBytes: number, ms: number): void {
    this.#datagrams.send(accessEntry(line, request, status, bodyBytes, ms));
  }

  /** Resolves when all entries are on their way, so that this process may end. */
  flush(): Promise<void> {
    return this.#datagrams.flush();
  }

  /** It never waits. */
  once(): void {}
}
