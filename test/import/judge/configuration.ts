/** A directive of a generated configuration. */
export interface Node {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Node[] | null;
}

export function line(name: string, ...args: readonly string[]): Node {
  return { name, args, block: null };
}

export function block(name: string, args: readonly string[], content: readonly Node[]): Node {
  return { name, args, block: content };
}

/** The text of an `http` block's content. */
export function render(nodes: readonly Node[], indent = ''): string {
  return nodes
    .map((node) => {
      const head = `${indent}${[node.name, ...node.args].map(quoted).join(' ')}`;
      return node.block === null ? `${head};\n` : `${head} {\n${render(node.block, `${indent}  `)}${indent}}\n`;
    })
    .join('');
}

function quoted(word: string): string {
  return /^[^\s;{}"'#]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`;
}

/** All configurations that lack one directive, the largest parts first. */
export function* smaller(nodes: readonly Node[]): Generator<readonly Node[]> {
  for (let index = 0; index < nodes.length; index += 1) yield nodes.toSpliced(index, 1);
  for (const [index, node] of nodes.entries()) {
    if (node.block === null) continue;
    for (const content of smaller(node.block)) yield nodes.toSpliced(index, 1, { ...node, block: content });
  }
}
