/** What can stand behind a message: numbers, texts, and the like. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

type Level = 'info' | 'warn' | 'error';

/** A log that writes lines through `write`: for people (`text`) or one JSON object a line, with `time`, `level`, `message`. */
export function createLog(format: 'text' | 'json', write: (line: string) => void): Log {
  const put = format === 'json' ? jsonLine : textLine;
  const at = (level: Level) => (message: string, fields?: Fields) => write(put(level, message, fields ?? {}));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonLine(level: Level, message: string, fields: Fields): string {
  return `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`;
}

function textLine(level: Level, message: string, fields: Fields): string {
  const time = new Date().toISOString().slice(11, 19);
  const rest = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const [first, ...more] = message.split('\n');
  const tail = more.map((line) => `         ${line}\n`).join('');
  return `${time} ${level === 'info' ? '' : `${level}: `}${first}${rest.join('')}\n${tail}`;
}
