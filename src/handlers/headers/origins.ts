import { ViaductError } from '../../errors.ts';

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;
const SUBDOMAINS = /^([a-z][a-z0-9+.-]*:\/\/)\*(\.[a-z0-9._-]+(?::\d{1,5})?)$/;
const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Origins (RFC 6454 section 6.2) that a setting lists: exact ones, all subdomains of a host, or `*` for any. */
export class Origins {
  /** Whether it is `*`. */
  readonly any: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #subdomains: readonly (readonly [start: string, end: string])[];

  /**
   * Reads `https://example.com`, `https://*.example.com`, `null` and `*`.
   *
   * @throws ViaductError `SETTINGS` that names what is none of these.
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

/** Browsers write origins in one way only, and are compared letter for letter. */
function check(text: string): string {
  const isOrigin = text === '*' || text === 'null' || (ORIGIN.test(text) && isCanonical(text));
  if (isOrigin) return text;
  throw new ViaductError('SETTINGS', `Cannot allow origin ${JSON.stringify(text)}: it is none`, {
    advice:
      'Write https://example.com, https://*.example.com or *: in small letters, without a path or a default port.',
  });
}

function isCanonical(text: string): boolean {
  const { protocol, origin } = new URL(text);
  return !/^https?:$/.test(protocol) || origin === text;
}
