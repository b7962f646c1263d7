/** A row of a table: its cells, which may have colours. */
export type Row = readonly string[];

/** Rows with their cells in columns, two spaces apart. A line that is longer than `width` loses the end of its last cell. */
export function table(rows: readonly Row[], width: number): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => (column === row.length - 1 && column > 0 ? 0 : lengthOf(row[column] ?? '')))),
  );
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))));
      return `${shortened(cells.join('  ').trimEnd(), width)}\n`;
    })
    .join('');
}

/** How many columns a person sees; no limit in a pipe. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY === true && stream.columns > 0 ? stream.columns : Number.POSITIVE_INFINITY;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are written with ESC
const COLOUR = /\x1b\[\d+m/g;

/** The length without colours. */
function lengthOf(text: string): number {
  return text.replace(COLOUR, '').length;
}

/** `line` without what does not fit. A line with colours that is too long loses them. */
function shortened(line: string, width: number): string {
  return lengthOf(line) <= width ? line : `${line.replace(COLOUR, '').slice(0, Math.max(0, width - 1))}…`;
}

/** The lines of a terminal: 24, as the oldest ones have, if it does not know, such as one that was made by a program. */
export function heightOf(stream: NodeJS.WriteStream): number {
  return stream.rows > 0 ? stream.rows : 24;
}
