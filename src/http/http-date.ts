const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';
const MONTH = `(${MONTHS.join('|')})`;
const IMF_FIXDATE = new RegExp(`^[A-Z][a-z]{2}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^[A-Z][a-z]{5,8}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^[A-Z][a-z]{2} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`);

/**
 * Reads an HTTP date in any of its three forms (RFC 9110 section 5.6.7). Returns seconds since 1970, or null for what is no date: a
 * condition with it is to be ignored.
 */
export function parseHttpDate(text: string): number | null {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) {
    const [, day, month, year, ...time] = fixed;
    return seconds(year, month, day, time);
  }
  const short = RFC_850.exec(text);
  if (short !== null) {
    const [, day, month, year, ...time] = short;
    return seconds(fullYear(Number(year)), month, day, time);
  }
  const c = ASCTIME.exec(text);
  if (c === null) return null;
  const [, month, day, hour, minute, second, year] = c;
  return seconds(year, month, day, [hour, minute, second]);
}

/** Two digits that would lie more than 50 years ahead mean the past. */
function fullYear(digits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + digits;
  return year > now + 50 ? year - 100 : year;
}

function seconds(
  year: string | number | undefined,
  month: string | undefined,
  day: string | undefined,
  time: readonly (string | undefined)[],
): number | null {
  const [hour = 0, minute = 0, second = 0] = time.map(Number);
  const date = Number(day);
  if (hour > 23 || minute > 59 || second > 60 || date < 1 || date > 31) return null;
  const ms = Date.UTC(Number(year), MONTHS.indexOf(month ?? ''), date, hour, minute, second);
  return new Date(ms).getUTCDate() === date || second === 60 ? ms / 1000 : null;
}
