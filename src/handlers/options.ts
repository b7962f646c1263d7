type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Options without those that are undefined, so that their defaults apply. */
export function omitUndefined<T extends object>(options: T): Partial<Defined<T>> & { [K in RequiredKeys<T>]: T[K] } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof omitUndefined<T>
  >;
}

type RequiredKeys<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T];

/** Converts a table to the list `[name, value, …]`. An array as value adds several pairs. */
export function pairs(table: Readonly<Record<string, string | readonly string[]>>): string[] {
  return Object.entries(table).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));
}

/** A table with the same keys, whose values `change` has converted. */
export function mapValues<T, U>(table: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]));
}
