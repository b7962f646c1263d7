let second = 0;
let text = '';

/** The time as an HTTP date (IMF-fixdate, RFC 9110 section 5.6.7), made once a second. */
export function httpDate(nowMs: number): string {
  const current = Math.floor(nowMs / 1000);
  if (current !== second) {
    second = current;
    text = new Date(nowMs).toUTCString();
  }
  return text;
}
