import type { LineSink } from './access-log.ts';
import type { OutputEvents } from './direct-writer.ts';
import type { Level, LogStream } from './log.ts';
import { SyslogDatagrams } from './syslog-datagrams.ts';
import { syslogMessage } from './syslog-message.ts';
import { SyslogStream } from './syslog-stream.ts';
import type { SyslogTarget } from './syslog-target.ts';

/** Sends a log to a syslog server. It never blocks and never wants a pause: what the server does not take is lost and counted. */
export class SyslogOutput implements LineSink, LogStream {
  readonly writableLength = 0;
  readonly url: string;
  readonly #log: 'access' | 'server';
  readonly #facility: number;
  readonly #sender: SyslogDatagrams | SyslogStream;

  constructor(log: 'access' | 'server', target: SyslogTarget) {
    this.url = target.url;
    this.#log = log;
    this.#facility = target.facility;
    this.#sender = target.transport === 'udp' ? new SyslogDatagrams(target) : new SyslogStream(target);
  }

  set events(events: OutputEvents) {
    this.#sender.events = events;
  }

  /** Sends each line as a message. */
  write(text: string): boolean {
    for (const line of text.trimEnd().split('\n')) this.writeEntry(line, 'info');
    return true;
  }

  /** Sends the text as one message, with its line breaks. */
  writeEntry(text: string, level: Level): void {
    this.#sender.send(syslogMessage(this.#facility, level, this.#log, text.trimEnd()));
  }

  /** It never waits. */
  once(): void {}
}
