import { type Finding, isDangerous } from '../../../src/import/check/finding.ts';
import type { Outcome, Probe } from '../../../src/import/check/outcome.ts';
import { buildModel } from '../../../src/import/nginx/model/build-model.ts';
import { decide, type decideFrom } from '../../../src/import/nginx/model/decide.ts';
import type { Model } from '../../../src/import/nginx/model/model.ts';
import type { Directive, Tree } from '../../../src/import/nginx/tree.ts';
import { realDisk, withoutDirectories } from './site.ts';

type Decided = ReturnType<typeof decideFrom>;

/** What a report says of a configuration. */
export interface Told {
  readonly findings: readonly Finding[];
  /** The lines that are dangerous, closed, lost or changed. */
  readonly lines: readonly number[];
  /** Those of them that let nobody in. */
  readonly closed: readonly number[];
}

/**
 * Says whether a report names the reason why a probe gets other content. Two things do: a dangerous finding of the check at the place of the
 * probe, and a line about a directive that matters for this probe, which means that nginx without the directive would answer otherwise.
 */
export function createNaming(
  tree: Tree,
  prefix: string,
  { findings, lines, closed }: Told,
): (probe: Probe, decided: Decided) => boolean {
  const whole = findings.filter(({ difference }) => difference.subject === ''); // a field that differs is not other content
  const dangerous = new Set(whole.filter(isDangerous).map(({ from }) => from.line));
  const otherAnswers = new Set(whole.filter((one) => !isDangerous(one)).map(({ from }) => from.line));
  const complete = buildModel(tree, prefix);
  const models = new Map<number, readonly Model[]>();
  const modelsWithout = (line: number): readonly Model[] => {
    const known =
      models.get(line) ??
      changed(tree.directives, line, closed.includes(line)).map((directives) =>
        buildModel({ ...tree, directives }, prefix),
      );
    models.set(line, known);
    return known;
  };
  return (probe, { from, outcome }) => {
    const place = from?.statement.line;
    if (place !== undefined && (dangerous.has(place) || (isText(outcome) && otherAnswers.has(place)))) return true;
    const fields = [...probe.fields, [MARKER, 'sent'] as const];
    // files have an answer of their own for other methods, so GET shows what matters for them
    const probes = [probe.method, 'GET'].map((method) => ({ ...probe, method, fields }));
    // a directory may be missing for Viaduct
    return [realDisk, withoutDirectories].some((disk) =>
      probes.some((one) => {
        const content = contentIn(decide(complete, one, disk));
        return lines.some((line) =>
          modelsWithout(line).some((model) => contentIn(decide(model, one, disk)) !== content),
        );
      }),
    );
  };
}

/** Whether a server answers with a text of its configuration, so that no file and no backend is in question. */
function isText(outcome: Outcome): boolean {
  return outcome.kind === 'answer' && outcome.status < 300;
}

/** CGI variables have names of their own. */
function isMarker([name]: readonly [string, unknown]): boolean {
  return name.toLowerCase() === MARKER.toLowerCase() || name === 'HTTP_X_MARKER';
}

/**
 * The configuration without a directive. What a directive about files decides, files of the same names may also decide without it, so it also gets
 * no file at all; and a location also gets no index, because a line about the usual index is one about the location. What is closed refuses all.
 */
function changed(directives: readonly Directive[], line: number, isClosed: boolean): (readonly Directive[])[] {
  const without = mapLine(directives, line, () => []);
  const withoutFiles = mapLine(directives, line, (one) => {
    if (one.block !== null)
      return [{ ...one, block: [...one.block, { ...one, name: 'index', args: [NO_FILE], block: null }] }];
    const args = NO_FILES[one.name];
    return args === undefined ? [] : [{ ...one, args }];
  });
  return isClosed ? [without, withoutFiles, refusedAt(directives, line)] : [without, withoutFiles];
}

const NO_FILE = 'no-such-file';

const NO_FILES: Readonly<Record<string, readonly string[]>> = {
  try_files: [`/${NO_FILE}`, '=404'],
  root: [`/${NO_FILE}`],
  alias: [`/${NO_FILE}/`],
  index: [NO_FILE],
};

/** The block of the directive lets nobody in. */
function refusedAt(directives: readonly Directive[], line: number): readonly Directive[] {
  const at = directives.find((one) => one.line === line);
  const within = directives.map((one) => (one.block === null ? one : { ...one, block: refusedAt(one.block, line) }));
  return at === undefined ? within : [{ ...at, name: 'deny', args: ['all'], block: null }, ...within];
}

function mapLine(
  directives: readonly Directive[],
  line: number,
  change: (directive: Directive) => Directive[],
): Directive[] {
  return directives.flatMap((one) => {
    if (one.line === line) return change(one);
    return one.block === null ? [one] : [{ ...one, block: mapLine(one.block, line, change) }];
  });
}

/** A field of the client that a backend gets, unless the configuration keeps the client's fields, and so its password, from it. */
const MARKER = 'X-Marker';

/** What a client would get, without the fields of the response. */
function contentIn(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'closed':
      return '';
    case 'unknown':
      return outcome.reason;
    case 'backend':
      return JSON.stringify([outcome.status, outcome.to, outcome.target, outcome.sent.some(isMarker)]);
    case 'file':
      return JSON.stringify([outcome.status, outcome.path, outcome.listing]);
    case 'answer':
      return JSON.stringify([outcome.status, outcome.location, outcome.content]);
  }
}
