/** What trusted proxies may state about a request: these values, and further fields by their names in lower case. */
export type TrustedValues = ReadonlySet<string>;

/** The values of which almost every front-end proxy replaces the client's own claims, or appends to them. */
export const TRUSTED_VALUES: readonly string[] = ['address', 'scheme'];

/** The value that each field, or variable of CGI, describes. */
const VALUES: Readonly<Record<string, string>> = {
  'x-forwarded-for': 'address',
  'x-real-ip': 'address',
  'x-forwarded-proto': 'scheme',
  'x-forwarded-host': 'host',
  'x-forwarded-port': 'port',
  'x-forwarded-prefix': 'prefix',
  remote_user: 'user',
};

/** `values` may be names of fields in any letter case. */
export function readTrustedValues(values: readonly string[]): TrustedValues {
  return new Set(values.map(valueIn));
}

/** Whether the field `name` of a trusted proxy counts. */
export function isTrusted(values: TrustedValues, name: string): boolean {
  return values.has(valueIn(name));
}

function valueIn(name: string): string {
  const lower = name.toLowerCase();
  return VALUES[lower] ?? lower;
}
