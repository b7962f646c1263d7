import { nearest } from '../nearest.ts';

/**
 * The message about a key that a table does not take, with the key that was probably meant.
 *
 * @param shown name and position of the key
 * @param key the key alone
 * @param known the keys that the table takes, as the key's source spells them
 */
export function unknownKeyMessage(shown: string, key: string, known: Iterable<string>): string {
  const meant = nearest(key, known);
  return `Cannot use ${shown}: there is no such key${meant === null ? '' : `; did you mean ${meant}?`}`;
}
