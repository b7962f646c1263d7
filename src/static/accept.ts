/**
 * The quality of the media type `type` in the field value `accept`, from 0 to 1 (RFC 9110 section 12.5.1). The most
 * specific range counts. Without the field every type has quality 1.
 */
export function typeQuality(accept: string | null, type: string): number {
  if (accept === null || accept.trim() === '') return 1;
  const ranges = ['*/*', `${type.slice(0, type.indexOf('/'))}/*`, type];
  let quality = 0;
  let specificity = -1;
  for (const element of accept.split(',')) {
    const [range = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    const at = ranges.indexOf(range);
    if (at <= specificity) continue;
    specificity = at;
    quality = weightOf(parameters);
  }
  return quality;
}

/** A malformed weight is ignored and counts as 1. */
function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  if (weight === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight.slice(2)) : 1;
}
