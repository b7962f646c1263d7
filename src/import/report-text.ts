import { type Finding, findingLine, isDangerous, nameOf } from './check/finding.ts';
import { uncheckedLines } from './check/unchecked.ts';
import type { ImportedFile } from './import-file.ts';
import type { Kind } from './kind.ts';

/** What a person reads after an import. */
export interface ReportText {
  /** Lines, with a heading above each part. */
  readonly lines: readonly string[];
  /** Names of the dangerous findings that nobody accepted. */
  readonly open: readonly string[];
}

/**
 * Writes the report: first what is different and dangerous, then what was lost, what is different otherwise, what was not compared, and how
 * much needs nothing.
 *
 * @param accepted names of dangerous findings that a person accepts
 * @param showsAll whether what needs nothing is listed, too
 */
export function reportText(
  { kind, report, checked: { findings, unchecked }, variables }: ImportedFile,
  accepted: ReadonlySet<string>,
  showsAll: boolean,
): ReportText {
  const dangerous = findings.filter(isDangerous);
  const others = findings.filter((finding) => !isDangerous(finding));
  const line = (finding: Finding): string => {
    const mark = isDangerous(finding) && accepted.has(nameOf(finding)) ? ' [accepted]' : '';
    return findingLine(finding, kind) + mark;
  };
  const open = [...new Set([...dangerous.map(nameOf), ...report.names('dangerous')])];
  const noted = report.names('dangerous').flatMap((name) => {
    const mark = accepted.has(name) ? ' [accepted]' : '';
    return report.lines(['dangerous'], name).map((text) => text + mark);
  });
  const needless = report.count('needs nothing');
  return {
    lines: [
      ...part('Dangerous differences:', [...dangerous.map(line), ...noted]),
      ...part('Closed until you decide:', report.lines(['closed'])),
      ...part('Lost or changed:', report.lines(['not carried over', 'carried over, but'])),
      ...part('Other differences:', others.map(line)),
      ...part('Not checked, because the check does not know what decides there:', uncheckedLines(unchecked)),
      ...part('In the source of the application:', variables),
      ...(showsAll ? part('Needs nothing:', report.lines(['needs nothing'])) : []),
      ...(needless > 0 && !showsAll ? [`${amount(needless, kind)} nothing (--all lists them)`] : []),
    ],
    open: open.filter((name) => !accepted.has(name)),
  };
}

function part(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [heading, ...lines.map((line) => `  ${line}`)];
}

/** `1 directive needs`, `3 settings need`. */
function amount(count: number, kind: Kind): string {
  const noun = kind === 'nginx' ? 'directive' : 'setting';
  return count === 1 ? `1 ${noun} needs` : `${count} ${noun}s need`;
}
