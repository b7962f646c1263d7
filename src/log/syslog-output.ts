import type { LineSink } from './access-log.ts';
import type { DatagramProcess } from './datagram-process.ts';
import { Datagrams } from './datagrams.ts';
import type { OutputEvents } from './direct-writer.ts';
import type { Level, LogStream } from './log.ts';
import { Losses } from './losses.ts';
import { countLostLines, type LostLines } from './lost-lines.ts';
import { SyslogDatagrams } from './syslog-datagrams.ts';
import { localMessage, syslogMessage } from './syslog-message.ts';
import { SyslogStream } from './syslog-stream.ts';
import type { SyslogTarget } from './syslog-target.ts';

interface Sender {
  send(message: Buffer): void;
  flush(): Promise<void>;
}

/** Sends a log to a syslog server. It never blocks and never wants a pause: what the server does not take is lost and counted. */
export class SyslogOutput implements LineSink, LogStream {
  readonly writableLength = 0;
  readonly name: string;
  readonly lost: LostLines;
  readonly #log: LostLines['log'];
  readonly #facility: number;
  readonly #losses: Losses;
  #sender: Sender;

  /** `datagramsTo` is for a Unix socket that takes datagrams, such as /dev/log. */
  constructor(log: LostLines['log'], target: SyslogTarget, datagramsTo: (path: string) => DatagramProcess) {
    this.name = target.url;
    this.lost = countLostLines(log, 'syslog');
    this.#log = log;
    this.#facility = target.facility;
    this.#losses = new Losses(this.lost);
    this.#sender =
      target.transport === 'udp'
        ? new SyslogDatagrams(target, this.#losses)
        : new SyslogStream(target, this.#losses, (messages) => this.#sendLocally(datagramsTo(target.path), messages));
  }

  set events(events: OutputEvents) {
    this.#losses.events = events;
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

  /** Resolves when all messages are on their way, so that this process may end. It does not wait for a server that is away. */
  flush(): Promise<void> {
    return this.#sender.flush();
  }

  #sendLocally(process: DatagramProcess, messages: readonly Buffer[]): void {
    const datagrams = new Datagrams(process, this.#losses);
    this.#sender = {
      send: (message) => datagrams.send(localMessage(message)),
      flush: () => datagrams.flush(),
    };
    for (const message of messages) this.#sender.send(message);
  }

  /** It never waits. */
  once(): void {}
}
