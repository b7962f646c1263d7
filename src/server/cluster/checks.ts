/** Whether a value that came from another process is what it should be. */
export type Check = (value: unknown) => boolean;
export type Fields = Readonly<Record<string, Check>>;

/** Whether `value` is an object with these fields. Others are allowed. */
export function has(value: unknown, fields: Fields): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const object = value as Readonly<Record<string, unknown>>;
  return Object.entries(fields).every(([name, check]) => check(object[name]));
}

export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

export function nullOr(check: Check): Check {
  return (value) => value === null || check(value);
}

export function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isText(value: unknown): boolean {
  return typeof value === 'string';
}

export function isFlag(value: unknown): boolean {
  return typeof value === 'boolean';
}
