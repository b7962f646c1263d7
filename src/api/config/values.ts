/** One value, or an array of several. */
export type OneOrMore<T> = T | readonly T[];

/** A time: milliseconds as a number, or a string with a unit (`ms`, `s`, `min`, `h`) such as `'500ms'`, `'30s'` or `'1.5h'`. */
export type Duration = number | string;

/**
 * A size: bytes as a number, or a string with a unit such as `'64KiB'` or `'20MiB'` (1024) or `'1MB'` (1000). `k`, `m` and `g` alone mean 1024, 1024²
 * and 1024³.
 */
export type Bytes = number | string;

/** A middleware by its name alone, or with options. */
export type MiddlewareConfig = string | MiddlewareWithOptions;

/** A middleware of a configuration, with the options that it gets. */
export interface MiddlewareWithOptions {
  /** `'module:attribute'` in Python, the path of a file in TypeScript or JavaScript with or without `#export`, or `'viaduct:name'`. */
  readonly use: string;
  /**
   * Plain data: strings, numbers, booleans, null, arrays and objects of these. The names of the options reach the middleware unchanged. Python
   * receives them as keyword arguments.
   */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}
