let second = -1;
let lines = '';
let dateLine = '';
let value = '';

/** `Date` (RFC 9110 section 6.6.1) and `Server` as field lines. They are made once a second: other calls cost only `Date.now`. */
export function dateAndServerLines(): string {
  refresh();
  return lines;
}

/** `Date` as a field line. */
export function dateFieldLine(): string {
  refresh();
  return dateLine;
}

/** The value of `Date`. It is the same string until the next second. */
export function dateValue(): string {
  refresh();
  return value;
}

export const SERVER_LINE = 'Server: viaduct\r\n';

function refresh(): void {
  const now = Math.floor(Date.now() / 1000);
  if (now === second) return;
  second = now;
  value = new Date(now * 1000).toUTCString();
  dateLine = `Date: ${value}\r\n`;
  lines = dateLine + SERVER_LINE;
}
