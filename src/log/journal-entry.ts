import { requestIdOf } from '../http/request-id.ts';
import { fieldOf, type LoggedRequest } from './answered-request.ts';
import { escapeControls } from './escape.ts';
import type { Fields, Level } from './log.ts';
import { SEVERITIES } from './syslog-message.ts';

/** A longer message is cut. */
const MESSAGE_CHARS_MAX = 256 * 1024;
const CUT = ' [cut]';
/** The journal takes no longer names. */
const NAME_CHARS_MAX = 64;
/** `daemon`, as the messages to a syslog server have it by default. */
const FACILITY = 3;

/** A line of a Python traceback that names a place. */
const PLACE = /^ {2}File "(.+)", line (\d+), in (.+)$/gm;

/**
 * An entry of the server's log for systemd's journal (systemd.journal-fields(7)). Each of its fields becomes one with the prefix `VIADUCT_`. The
 * innermost place of a Python traceback becomes `CODE_FILE`, `CODE_LINE` and `CODE_FUNC`.
 */
export function serverEntry(level: Level, message: string, fields: Fields): Buffer {
  const entry = new JournalEntry(level, 'server', message);
  if (message.startsWith('Traceback')) {
    const [, file, line, name] = [...message.matchAll(PLACE)].at(-1) ?? [];
    if (file !== undefined) entry.add('CODE_FILE', file).add('CODE_LINE', line).add('CODE_FUNC', name);
  }
  for (const [name, value] of Object.entries(fields))
    entry.add(fieldName(name), typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));
  return entry.bytes();
}

/** An answered request. `line` is its line of the access log. */
export function accessEntry(
  line: string,
  request: LoggedRequest,
  status: number,
  bodyBytes: number,
  ms: number,
): Buffer {
  const { record } = request;
  return new JournalEntry('info', 'access', line)
    .add('VIADUCT_STATUS', `${status}`)
    .add('VIADUCT_METHOD', request.method)
    .add('VIADUCT_HOST', request.host)
    .add('VIADUCT_PATH', request.path)
    .add('VIADUCT_QUERY', request.query)
    .add('VIADUCT_PROTOCOL', request.protocol)
    .add('VIADUCT_REMOTE_ADDRESS', request.peer.remoteAddress)
    .add('VIADUCT_USER_AGENT', fieldOf(request, 'user-agent'))
    .add('VIADUCT_BODY_BYTES', `${bodyBytes}`)
    .add('VIADUCT_DURATION_MS', `${Math.round(ms * 1000) / 1000}`)
    .add('VIADUCT_REQUEST_ID', request.protocol === '' ? '' : requestIdOf(record))
    .add('VIADUCT_ROUTE', record.route)
    .add('VIADUCT_WORKER', record.worker === 0 ? '' : `${record.worker}`)
    .add('VIADUCT_QUEUE_MS', record.queueUs < 0 ? '' : `${record.queueUs / 1000}`)
    .add('VIADUCT_PYTHON_MS', record.pythonUs < 0 ? '' : `${record.pythonUs / 1000}`)
    .add('VIADUCT_REASON', record.reason)
    .bytes();
}

/** The bytes of an entry in the journal's native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). */
class JournalEntry {
  readonly #parts: Buffer[] = [];

  constructor(level: Level, log: 'access' | 'server', message: string) {
    // Cut again: an escaped character has up to 8.
    this.add('MESSAGE', cut(escapeControls(cut(message.trimEnd()))))
      .add('PRIORITY', `${SEVERITIES[level]}`)
      .add('SYSLOG_FACILITY', `${FACILITY}`)
      .add('SYSLOG_IDENTIFIER', 'viaduct')
      .add('SYSLOG_PID', `${process.pid}`)
      .add('VIADUCT_LOG', log);
  }

  /** Adds a field, unless its value is empty. A value with line breaks follows its length (u64), so no client can forge a field. */
  add(name: string, value = ''): this {
    if (value === '') return this;
    if (!value.includes('\n')) {
      this.#parts.push(Buffer.from(`${name}=${value}\n`));
      return this;
    }
    const text = Buffer.from(`${value}\n`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length - 1));
    this.#parts.push(Buffer.from(`${name}\n`), length, text);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function cut(message: string): string {
  return message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX - CUT.length)}${CUT}` : message;
}

/** The journal takes upper-case letters, digits and underscores. */
function fieldName(name: string): string {
  return `VIADUCT_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`.slice(0, NAME_CHARS_MAX);
}
