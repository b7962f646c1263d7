let lastMs = Number.NaN;
let lastTime = '';

/** The time in UTC, `2026-05-04T09:12:33.201Z`. It is made once for all lines of a millisecond. */
export function isoTime(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastTime = new Date(now).toISOString();
  }
  return lastTime;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `10/Oct/2000:13:55:36 +0000`, in UTC. */
export function commonDate(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[date.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Formats of Apache's `%{…}t` that are not for strftime(3). */
const EPOCHS: Readonly<Record<string, (date: Date) => string>> = {
  sec: (date) => `${Math.floor(date.getTime() / 1000)}`,
  msec: (date) => `${date.getTime()}`,
  usec: (date) => `${date.getTime() * 1000}`,
  msec_frac: (date) => padded(date.getUTCMilliseconds(), 3),
  usec_frac: (date) => `${padded(date.getUTCMilliseconds(), 3)}000`,
};

/** Conversions of strftime(3), in UTC and English. */
const CONVERSIONS: Readonly<Record<string, (date: Date, iso: string) => string>> = {
  Y: (_date, iso) => iso.slice(0, 4),
  y: (_date, iso) => iso.slice(2, 4),
  m: (_date, iso) => iso.slice(5, 7),
  d: (_date, iso) => iso.slice(8, 10),
  e: (date) => `${date.getUTCDate()}`.padStart(2),
  H: (_date, iso) => iso.slice(11, 13),
  M: (_date, iso) => iso.slice(14, 16),
  S: (_date, iso) => iso.slice(17, 19),
  F: (_date, iso) => iso.slice(0, 10),
  T: (_date, iso) => iso.slice(11, 19),
  D: (_date, iso) => `${iso.slice(5, 7)}/${iso.slice(8, 10)}/${iso.slice(2, 4)}`,
  b: (date) => MONTHS[date.getUTCMonth()] as string,
  a: (date) => DAYS[date.getUTCDay()] as string,
  s: (date) => `${Math.floor(date.getTime() / 1000)}`,
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
};

/** The function that writes a time in a format of Apache's `%{…}t`; null if the format has an unknown conversion. */
export function timeFormat(format: string): ((date: Date) => string) | null {
  if (Object.hasOwn(EPOCHS, format)) return EPOCHS[format] as (date: Date) => string;
  for (const [, letter = ''] of format.matchAll(/%(.?)/gs)) if (!Object.hasOwn(CONVERSIONS, letter)) return null;
  return (date) => {
    const iso = date.toISOString();
    return format.replace(/%(.)/gs, (_, letter: string) => CONVERSIONS[letter]?.(date, iso) ?? '');
  };
}

function padded(number: number, width: number): string {
  return `${number}`.padStart(width, '0');
}
