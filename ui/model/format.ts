/** A time for people, with three digits: `480 µs`, `12.3 ms`, `1.25 s`. */
export function duration(us: number): string {
  const size = Math.abs(us);
  if (size < 999.5) return `${Math.round(us)} µs`;
  if (size < 999_500) return `${digits(us / 1000)} ms`;
  return size < 59_950_000 ? `${digits(us / 1_000_000)} s` : `${(us / 60_000_000).toFixed(1)} min`;
}

export const milliseconds = (ms: number): string => duration(ms * 1000);

/** A difference, with its sign. */
export function difference(us: number): string {
  return us === 0 ? '±0' : `${us > 0 ? '+' : '−'}${duration(Math.abs(us))}`;
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, count < 1024 ? 0 : Math.floor(Math.log2(count) / 10));
  return `${power === 0 ? count : digits(count / 1024 ** power)} ${units[power]}`;
}

/** A part of a whole: `0.4 %`, `12 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value !== 0 && Math.abs(value) < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-GB').replaceAll(',', '\u202f');
}

/** A rate each second. */
export const rate = (value: number): string => (value < 10 ? value.toFixed(1) : count(value));

/** `3 queries`, `1 query`. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** How long ago: `12 s`, `5 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** The time of the day with milliseconds, where the reader is. */
export function clock(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** The last parts of a path: what people recognize. */
export function shortPath(file: string): string {
  const sitePackages = file.lastIndexOf('/site-packages/');
  if (sitePackages >= 0) return file.slice(sitePackages + '/site-packages/'.length);
  return file.split('/').slice(-3).join('/');
}

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/** As long a message of an exception is read at a glance. Its traceback has all of it. */
const MESSAGE_CHARS_MAX = 1000;

/** The beginning of a long message of an exception. */
export function shortMessage(message: string): string {
  return message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX)}…` : message;
}
