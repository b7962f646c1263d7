/** Media types that shrink; SVG is `*+xml`. Most images, sound, video, archives and WOFF fonts are already compressed. */
export const COMPRESSIBLE_TYPES: readonly string[] = [
  'text/*',
  '*+json',
  '*+xml',
  '*+text',
  '*+yaml',
  'application/json',
  'application/x-ndjson',
  'application/json-seq',
  'application/xml',
  'application/xml-dtd',
  'application/javascript',
  'application/x-javascript',
  'application/ecmascript',
  'application/graphql',
  'application/wasm',
  'application/yaml',
  'application/toml',
  'application/sql',
  'application/rtf',
  'application/vnd.ms-fontobject',
  'application/x-font-ttf',
  'application/x-font-opentype',
  'font/ttf',
  'font/otf',
  'font/collection',
  'image/bmp',
  'image/x-icon',
  'image/vnd.microsoft.icon',
];

/** The most Content-Type values whose result is remembered. */
const KNOWN_MAX = 256;

/** A set of media types, given by patterns: `text/html`, `text/*`, or `*+json` for all types with this suffix (RFC 6838 section 4.2.8). */
export class MediaTypes {
  readonly #exact = new Set<string>();
  readonly #prefixes: string[] = [];
  readonly #suffixes: string[] = [];
  readonly #known = new Map<string, boolean>();

  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const lower = pattern.toLowerCase();
      if (lower.endsWith('*')) this.#prefixes.push(lower === '*/*' ? '' : lower.slice(0, -1));
      else if (lower.startsWith('*')) this.#suffixes.push(lower.slice(1));
      else this.#exact.add(lower);
    }
  }

  /** Whether `contentType`, a value of Content-Type with or without parameters, is in the set. */
  has(contentType: string): boolean {
    const known = this.#known.get(contentType);
    if (known !== undefined) return known;
    const type = (contentType.split(';', 1)[0] as string).trim().toLowerCase();
    const isIncluded =
      this.#exact.has(type) ||
      this.#prefixes.some((prefix) => type.startsWith(prefix)) ||
      this.#suffixes.some((suffix) => type.endsWith(suffix));
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(contentType, isIncluded);
    return isIncluded;
  }
}
