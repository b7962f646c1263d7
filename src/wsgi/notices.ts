/** So many different notices are logged, whatever applications do. */
const NOTICES_MAX = 100;

/** Passes each text to `log` once, with the subject of its first call. */
export function onceEach<Subject>(log: (text: string, subject: Subject) => void): typeof log {
  const noted = new Set<string>();
  return function note(text, subject) {
    if (noted.has(text) || noted.size >= NOTICES_MAX) return;
    noted.add(text);
    log(`${text}. This is reported once`, subject);
  };
}

/** Where the application called `callee`: ` (file:line:column)`; '' if it is not being called. */
export function placeOf(callee: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, callee);
  const caller = holder.stack?.split('\n', 2)[1];
  const place =
    caller === undefined ? undefined : (/\((.+)\)$/.exec(caller)?.[1] ?? /at (?:async )?(.+)$/.exec(caller)?.[1]);
  return place === undefined ? '' : ` (${place})`;
}
