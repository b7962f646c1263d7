import { fstatSync } from 'node:fs';
import type { Level, LogStream } from './log.ts';
import type { LostLines } from './lost-lines.ts';
import { SEVERITIES } from './syslog-message.ts';

/** Whether standard error is a stream to systemd's journal: then `JOURNAL_STREAM` has its device and inode (systemd.exec(5)). */
export function isJournal(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { JOURNAL_STREAM } = environment;
  if (JOURNAL_STREAM === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2, { bigint: true });
    return JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false; // it is closed
  }
}

/** Writes the level of each line before it, as the journal reads it: `<3>` for an error (sd-daemon(3)). The journal removes the prefix. */
export class JournalPrefixes implements LogStream {
  readonly #stream: LogStream;

  constructor(stream: LogStream) {
    this.#stream = stream;
  }

  get lost(): LostLines | undefined {
    return this.#stream.lost;
  }

  get writableLength(): number {
    return this.#stream.writableLength;
  }

  write(text: string): unknown {
    return this.#stream.write(text);
  }

  writeEntry(text: string, level: Level): unknown {
    return this.write(text.replace(/^(?=.)/gm, `<${SEVERITIES[level]}>`));
  }
}
