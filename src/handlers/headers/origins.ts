import { ViaductError } from '../../errors.ts';

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;
const SUBDOMAINS = /^([a-z][a-z0-9+.-]*:\/\/)\*(\.[a-z0-9._-]+(?::\d{1,5})?)$/;
const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** A set of origins (RFC 6454 section 6.2): exact origins, all subdomains of a host, or `*` for all origins. */
export class Origins {
  /** Whether the set contains all origins. */
  readonly any: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #subdomains: readonly (readonly [start: string, end: string])[];

  /**
   * `texts` are `https://example.com`, `https://*.example.com`, `null` and `*`.
   *
   * @throws ViaductError `SETTINGS` that names an invalid origin
   */
  constructor(texts: readonly string[]) {
    const exact = new Set<string>();
    const subdomains: [string, string][] = [];
    for (const text of texts) {
      const [, start, end] = SUBDOMAINS.exec(text) ?? [];
      if (start !== undefined && end !== undefined) subdomains.push([start, end]);
      else exact.add(check(text));
    }
    this.any = exact.delete('*');
    this.#exact = exact;
    this.#subdomains = subdomains;
  }

  has(origin: string): boolean {
    return this.any || this.#exact.has(origin) || this.#subdomains.some((ends) => isBetween(origin, ends));
  }
}

function isBetween(origin: string, [start, end]: readonly [string, string]): boolean {
  const isAround = origin.length > start.length + end.length && origin.startsWith(start) && origin.endsWith(end);
  return isAround && LABELS.test(origin.slice(start.length, -end.length));
}

/** Returns a valid origin. Browsers write each origin in one way only, so origins are compared byte for byte. */
function check(text: string): string {
  const isOrigin = text === '*' || text === 'null' || (ORIGIN.test(text) && isCanonical(text));
  if (isOrigin) return text;
  throw new ViaductError('SETTINGS', `Cannot allow origin ${JSON.stringify(text)}: it is not a valid origin`, {
    advice: 'Write https://example.com, https://*.example.com or *: in lower case, without a path or a default port.',
  });
}

function isCanonical(text: string): boolean {
  const { protocol, origin } = new URL(text);
  return !/^https?:$/.test(protocol) || origin === text;
}
