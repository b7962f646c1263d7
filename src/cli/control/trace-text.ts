import { isAbsolute, relative } from 'node:path';
import { escapeControls } from '../../log/escape.ts';
import type { RepeatedQuery, TraceDocument } from '../../trace/document.ts';
import { sqlLine } from '../../trace/sql-line.ts';
import type { Palette } from '../output.ts';
import { type Row, table } from '../table.ts';
import { headerChanges } from './header-changes.ts';
import { spanRows } from './span-tree.ts';
import { timeText } from './time-text.ts';

/** How to write for a person. */
export interface TraceTextOptions {
  readonly colours: Palette;
  /** Columns of the terminal. */
  readonly width: number;
}

const BAR_COLUMNS = 30;

/** One request for a person: what it was, where its time went, its way as a tree, the fields that changed on it, its queries and its error. */
export function traceText(document: TraceDocument, { colours, width }: TraceTextOptions): string {
  const section = (title: string, rows: readonly Row[]): string =>
    rows.length === 0 ? '' : `\n${colours.bold(title)}\n${table(rows, width)}`;
  const tree = spanRows(document, colours);
  return [
    table(headRows(document, colours), width),
    section('Where the time went', timeRows(document)),
    tree.length === 0 ? '' : section('The way of the request (start, duration)', tree),
    section('Fields that changed on the way', changeRows(document, colours)),
    section('Queries', queryRows(document, colours)),
    section('Exception', exceptionRows(document, colours)),
    section(
      'Not known',
      document.missing.map((sentence) => [`  ${escapeControls(sentence)}`]),
    ),
  ].join('');
}

function headRows(document: TraceDocument, colours: Palette): Row[] {
  const { request, response, route, application, durationUs, id } = document;
  const status = response === null ? colours.red('no response') : statusText(response.status, colours);
  const time = durationUs === null ? 'not over' : timeText(durationUs);
  const rows: Row[] = [
    [`${colours.bold(escapeControls(`${request.method} ${request.target}`))} ${status} ${colours.bold(time)}`],
  ];
  const where = [
    route === null || route.name === '' ? '' : `route ${route.name}`,
    application === null ? '' : `application ${application.name}`,
    application === null || application.worker === 0
      ? ''
      : `worker ${application.worker} ${application.thread}`.trimEnd(),
    `request ${id}`,
  ].filter((text) => text !== '');
  rows.push([colours.dim(escapeControls(where.join(', ')))]);
  if (route !== null && route.why !== '') rows.push([colours.dim(escapeControls(route.why))]);
  if (response !== null && response.reason !== '') rows.push([colours.yellow(escapeControls(response.reason))]);
  return rows;
}

function statusText(status: number, colours: Palette): string {
  return status >= 500 ? colours.red(`${status}`) : status >= 400 ? colours.yellow(`${status}`) : `${status}`;
}

function timeRows({ times, durationUs }: TraceDocument): Row[] {
  const parts: readonly (readonly [name: string, us: number])[] = [
    ['waiting for a worker', times.queueUs],
    ['Python', times.pythonUs],
    ['backend', times.backendUs],
    ['waiting for the client', times.clientUs],
    ['Viaduct', times.ownUs],
  ];
  const total = durationUs ?? parts.reduce((sum, [, us]) => sum + us, 0);
  return parts
    .filter(([name, us]) => us > 0 || name === 'Viaduct')
    .map(([name, us]) => {
      const share = total === 0 ? 0 : us / total;
      return [
        `  ${name}`,
        timeText(us).padStart(9),
        `${Math.round(100 * share)} %`.padStart(5),
        '█'.repeat(Math.round(share * BAR_COLUMNS)),
      ];
    });
}

function changeRows({ hops }: TraceDocument, colours: Palette): Row[] {
  return headerChanges(hops).map(({ hop, direction, sign, name, value }) => {
    const what = escapeControls(`${sign} ${name}: ${value}`);
    return [`  ${direction}`, escapeControls(hop), sign === '-' ? colours.dim(what) : what];
  });
}

function queryRows({ queries, spans }: TraceDocument, colours: Palette): Row[] {
  if (queries.count === 0) return [];
  const rowsOf = (what: string, { file, line, sql }: Pick<RepeatedQuery, 'file' | 'line' | 'sql'>): Row[] => {
    const place = file === '' ? '' : ` at ${shortest(file)}:${line}`;
    return [[`  ${escapeControls(`${what}${place}`)}`], [`    ${colours.dim(escapeControls(sqlLine(sql)))}`]];
  };
  const repeated = (kind: string) => (query: RepeatedQuery) =>
    rowsOf(`${kind}: ${query.count} times, ${timeText(query.us)}`, query);
  const [slowest] = spans
    .filter(({ kind, attributes }) => kind === 'query' && typeof attributes.sql === 'string')
    .map(({ startUs, endUs, ...span }) => ({
      ...span,
      us: (endUs ?? startUs) - startUs,
      sql: `${span.attributes.sql}`,
    }))
    .sort((a, b) => b.us - a.us);
  return [
    [`  ${queries.count} ${queries.count === 1 ? 'query' : 'queries'} in ${timeText(queries.us)}`],
    ...queries.nPlusOne.flatMap(repeated('N+1')),
    ...queries.duplicates.flatMap(repeated('duplicate')),
    ...(slowest === undefined ? [] : rowsOf(`slowest: ${timeText(slowest.us)}`, slowest)),
  ];
}

function exceptionRows({ exception }: TraceDocument, colours: Palette): Row[] {
  if (exception === null) return [];
  const frame = exception.frames.findLast(({ isProject }) => isProject) ?? exception.frames.at(-1);
  const place =
    frame === undefined
      ? []
      : [[`  at ${escapeControls(`${shortest(frame.file)}:${frame.line} in ${frame.function}`)}`]];
  return [[`  ${colours.red(escapeControls(oneLine(`${exception.type}: ${exception.message}`)))}`], ...place];
}

/** A file below the current directory by its relative path, so that a terminal can open it. */
function shortest(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') || isAbsolute(path) ? file : path;
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
