/**
 * Chooses the best coding of `offered` for a client that sent `acceptEncoding` (RFC 9110 section 12.5.3). This is the coding with the
 * client's highest weight; of equal codings it is the first. Null means identity, the content as it is: no offered coding is
 * acceptable, or the client prefers identity, or the field is absent or malformed. Ask `isIdentityRefused` whether identity is acceptable.
 *
 * @param acceptEncoding the field's value, lines joined by commas
 * @param offered content codings in lower case (`br`, `gzip`, …), in the server's order of preference
 */
export function chooseEncoding(acceptEncoding: string | null, offered: readonly string[]): string | null {
  if (acceptEncoding === null) return null;
  const weights = weightsOf(acceptEncoding);
  let best: string | null = null;
  let bestWeight = weights.get(IDENTITY) ?? 0;
  for (const coding of offered) {
    const weight = weights.get(coding) ?? weights.get(ANY) ?? 0;
    if (weight > bestWeight || (weight === bestWeight && weight > 0 && best === null)) {
      best = coding;
      bestWeight = weight;
    }
  }
  return best;
}

/** Whether the client refuses content without a coding: `identity;q=0`, or `*;q=0` where identity is not listed by itself. */
export function isIdentityRefused(acceptEncoding: string | null): boolean {
  if (acceptEncoding === null) return false;
  const weights = weightsOf(acceptEncoding);
  return (weights.get(IDENTITY) ?? weights.get(ANY)) === 0;
}

/** The weight of each coding that the client lists, by the coding in lower case. */
type Weights = ReadonlyMap<string, number>;

const IDENTITY = 'identity';
const ANY = '*';
const NO_WEIGHTS: Weights = new Map();

/** Clients send the same few values again and again: each value is parsed once. */
const recent = new Map<string, Weights>();
const RECENT_MAX = 64;
const RECENT_LENGTH_MAX = 128;

function weightsOf(acceptEncoding: string): Weights {
  const known = recent.get(acceptEncoding);
  if (known !== undefined) return known;
  const weights = parse(acceptEncoding);
  if (acceptEncoding.length <= RECENT_LENGTH_MAX) {
    if (recent.size >= RECENT_MAX) recent.clear();
    recent.set(acceptEncoding, weights);
  }
  return weights;
}

const ELEMENT = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[\t ]*;[\t ]*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/;
/** Older names of the same codings (RFC 9110 section 8.4.1). */
const ALIASES = new Map([
  ['x-gzip', 'gzip'],
  ['x-compress', 'compress'],
]);

/** A field with a malformed element is treated as absent. If a coding is listed twice, its last weight counts. */
function parse(acceptEncoding: string): Weights {
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.split(',')) {
    const element = part.trim();
    if (element === '') continue;
    const match = ELEMENT.exec(element);
    if (match === null) return NO_WEIGHTS;
    const coding = (match[1] as string).toLowerCase();
    weights.set(ALIASES.get(coding) ?? coding, match[2] === undefined ? 1 : Number(match[2]));
  }
  return weights;
}
