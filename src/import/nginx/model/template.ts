/** A text with variables: `/files/$1?user=${arg_user}`. */
export type Template = readonly Part[];

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** Without the dollar sign. */
  | { readonly kind: 'variable'; readonly name: string }
  /** `$1` to `$9`: a group of the pattern that matched last. */
  | { readonly kind: 'capture'; readonly index: number };

/** Splits a text of a configuration. A dollar sign without a name after it is text, although nginx refuses most of them. */
export function parseTemplate(text: string): Template {
  const parts: Part[] = [];
  let at = 0;
  for (const found of text.matchAll(/\$(?:\{(\w+)\}|([1-9])|(\w+))/g)) {
    if (found.index > at) parts.push({ kind: 'text', text: text.slice(at, found.index) });
    const name = found[1] ?? found[2] ?? (found[3] as string);
    parts.push(/^[1-9]$/.test(name) ? { kind: 'capture', index: Number(name) } : { kind: 'variable', name });
    at = found.index + found[0].length;
  }
  if (at < text.length) parts.push({ kind: 'text', text: text.slice(at) });
  return parts;
}

/** The text of a template without variables, else null. */
export function constantOf(template: Template): string | null {
  if (template.some(({ kind }) => kind !== 'text')) return null;
  return template.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
