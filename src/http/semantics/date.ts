let second = -1;
let lines = '';
let dateLine = '';

/** `Date` (RFC 9110 section 6.6.1) and `Server` as field lines. Made once a second; `Date.now` is the only cost of a call. */
export function dateAndServerLines(): string {
  refresh();
  return lines;
}

/** `Date` as a field line. */
export function dateFieldLine(): string {
  refresh();
  return dateLine;
}

export const SERVER_LINE = 'Server: viaduct\r\n';

function refresh(): void {
  const now = Math.floor(Date.now() / 1000);
  if (now === second) return;
  second = now;
  dateLine = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  lines = dateLine + SERVER_LINE;
}
