import type { ErrorStream } from './contract.ts';

/** `wsgi.errors`: whole lines go to `log` (PEP 3333, "Input and Error Streams"). */
export function errorStream(log: (line: string) => void): ErrorStream {
  let partial = '';
  const write = (text: string): void => {
    if (typeof text !== 'string') throw new TypeError(`wsgi.errors takes strings, not ${typeof text}`);
    const end = text.lastIndexOf('\n');
    if (end < 0) {
      partial += text;
      return;
    }
    log(partial + text.slice(0, end));
    partial = text.slice(end + 1);
  };
  return {
    write,
    writelines(lines) {
      for (const line of lines) write(line);
    },
    flush() {
      if (partial !== '') log(partial);
      partial = '';
    },
  };
}
