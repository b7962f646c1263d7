const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)';
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)';

/** IMF-fixdate, the format of RFC 850 and the format of asctime: all three are always in UTC. */
const FORMATS = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** Reads an HTTP date (RFC 9110 section 5.6.7). Returns whole seconds since 1970, or null for an invalid date. */
export function parseHttpDate(text: string): number | null {
  for (const format of FORMATS) {
    const parts = format.exec(text)?.groups;
    if (parts !== undefined) return toSeconds(parts);
  }
  return null;
}

function toSeconds({ year = '', month = '', day, hour, minute, second }: Record<string, string>): number | null {
  const monthIndex = MONTHS.indexOf(month);
  const fullYear = year.length === 2 ? nearYear(Number(year)) : Number(year);
  const midnight = new Date(0);
  midnight.setUTCFullYear(fullYear, monthIndex, Number(day));
  if (midnight.getUTCMonth() !== monthIndex) return null; // there is no 31st of April
  return midnight.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second);
}

/** The full year of two digits. A year more than 50 years ahead is of the century before (RFC 9110 section 5.6.7). */
function nearYear(twoDigits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + twoDigits;
  return year > now + 50 ? year - 100 : year;
}
