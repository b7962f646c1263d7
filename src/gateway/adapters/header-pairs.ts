/** Fields that belong to a connection, and so not to a response that crosses into another server (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}

/** Calls `take` for each field of encoded lines (`Name: value\r\n…`). */
export function eachField(lines: string, take: (name: string, value: string) => void): void {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    take(lines.substring(start, colon), lines.substring(colon + 1, end).trim());
    start = end + 2;
  }
}
