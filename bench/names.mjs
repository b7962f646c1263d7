/**
 * Those of these names: `static` means all whose id starts with `static-`, and `hello` means itself and `hello-browser`.
 *
 * @template {{ id: string }} T
 * @param {readonly T[]} all
 * @param {readonly string[]} names none for all
 * @param {string} noun what they are, for messages
 * @returns {readonly T[]}
 */
export function choose(all, names, noun) {
  const unknown = names.find((name) => !all.some((each) => isNamed(each, name)));
  if (unknown !== undefined)
    throw new Error(`Cannot find ${noun} "${unknown}". There are: ${all.map(({ id }) => id).join(', ')}`);
  return names.length === 0 ? all : all.filter((each) => names.some((name) => isNamed(each, name)));
}

/** Ids and titles in lines. */
export function list(all) {
  return all.map(({ id, title }) => `${id.padEnd(22)}${title}`).join('\n');
}

function isNamed({ id }, name) {
  return id === name || id.startsWith(`${name}-`);
}
