/**
 * The words of a command line as a POSIX shell splits it, with single and double quotes and backslashes, but without a
 * shell: nothing is expanded. Null if a quote is not closed, or if nothing follows the last backslash.
 */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === quote) quote = '';
    else if (char === '\\' && quote !== "'") {
      const next = line.charAt(at + 1);
      if (next === '') return null;
      at += 1;
      word = (word ?? '') + (quote === '' || '"\\$`'.includes(next) ? next : char + next);
    } else if (quote !== '') word += char;
    else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (!/\s/.test(char)) word = (word ?? '') + char;
    else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  if (word !== null) words.push(word);
  return quote === '' ? words : null;
}
