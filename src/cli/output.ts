import { describeThrown, systemErrorOf, ViaductError } from '../errors.ts';
import type { Finding } from '../project/project.ts';

/** Colours for output that a person reads. */
export interface Palette {
  dim(text: string): string;
  bold(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Colours for `stream`. They are off with NO_COLOR (no-color.org), in a pipe, and on a terminal without colours. */
export function palette(stream: NodeJS.WriteStream): Palette {
  const coloured = stream.isTTY === true && !process.env.NO_COLOR && stream.getColorDepth() > 1;
  const paint = (open: number, close: number) => (text: string) =>
    coloured ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return { dim: paint(2, 22), bold: paint(1, 22), red: paint(31, 39), yellow: paint(33, 39) };
}

/** The findings of discovery, one per line, with their subjects in a column. */
export function findingLines(findings: readonly Finding[], colours: Palette): string {
  return findings
    .map(({ level, subject, text }) =>
      level === 'hint'
        ? `  ${colours.yellow(subject.padEnd(12))}${text}\n`
        : `  ${colours.dim(subject.padEnd(12))}${text}\n`,
    )
    .join('');
}

/**
 * Prints an error and what to do about it. Returns the exit code. A stack is printed only for an error that is not a `ViaductError`.
 *
 * @param meant the command that the user may have meant by the name of the application
 */
export function reportError(error: unknown, meant: string | null): number {
  const colours = palette(process.stderr);
  const refused = systemErrorOf(error);
  if (refused !== null) return reportError(refused, meant);
  if (error instanceof ViaductError) {
    const traceback = typeof error.cause === 'string' ? `${error.cause.trimEnd()}\n` : '';
    const advice = error.advice === '' ? '' : `${error.advice}\n`;
    const isMissing = traceback === '' && error.code.startsWith('APPLICATION_');
    const hint = isMissing && meant !== null ? `Did you mean the command "viaduct ${meant}"?\n` : '';
    process.stderr.write(`${traceback}${colours.red('viaduct:')} ${error.message}\n${advice}${hint}`);
    return error.exitCode;
  }
  process.stderr.write(
    `${colours.red('viaduct:')} This is a bug in Viaduct, please report it:\n${describeThrown(error)}\n`,
  );
  return 1;
}
