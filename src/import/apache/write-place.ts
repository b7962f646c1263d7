import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import type { ConfigBuilder, Value } from '../config-builder.ts';
import { isPlainPath } from '../nginx/forms.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { closed, type Guard } from './access.ts';
import type { Apps } from './apps.ts';
import { writeBackend } from './backend.ts';
import { guardOf } from './guard.ts';
import { type Mapping, mappingAt, mappingsOf } from './mapping.ts';
import { filesRules, locationRules, PROGRAM } from './patterns.ts';
import { type PatternRule, redirectsOf } from './redirects.ts';
import { isRewriting, rewritesOf } from './rewrite.ts';
import { writeErrorPages, writeFields, writeFileOptions, writeGuard } from './route-parts.ts';
import { isBelow, isPrefix, sectionsFor, trimmed, urlOf } from './sections.ts';
import type { Directive } from './tree.ts';

/** One server at its addresses and hosts. */
export interface Part {
  /** What the server itself says, and what the main server says. */
  readonly own: readonly Directive[];
  readonly main: readonly Directive[];
  readonly isSecure: boolean;
  /** Empty for all. */
  readonly listen: readonly string[];
  readonly hosts: readonly string[];
  readonly from: readonly Directive[];
}

/** The paths below a prefix, with what answers them and what else counts there. */
interface Cut {
  readonly url: string;
  readonly mapping: Mapping | null;
  readonly file: string | null;
  readonly isFile: boolean;
  readonly settings: readonly Directive[];
  readonly guard: Guard;
}

/** Writes the routes of a server: first those of patterns, in their order, then those of prefixes, of which the longest counts. */
export function writePlace(part: Part, apps: Apps, context: WsgiContext): void {
  const { own, main } = part;
  const scope = [...own, ...main];
  const merged = [...main, ...own];
  const mappings = mappingsOf(scope);
  const cuts = cutsOf(mappings, merged, part, context);
  const early = [...rewritesOf(own, part.isSecure), ...redirectsOf(scope)];
  const late = [...locationRules(merged), ...cuts.flatMap((cut) => rulesOfFiles(cut, merged))];
  const seen = new Set<string>();
  const written = [...early, ...late].filter((rule) => {
    const key = `${rule.directive.file}:${rule.directive.line} ${rule.pattern}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
  for (const rule of written) writeRule(rule, part, context);
  const exact = exactPaths(cuts, early);
  for (const cut of cuts) writeCut(cut, exact.get(cut) ?? [], early, part, apps, context);
}

function cutsOf(
  mappings: readonly Mapping[],
  merged: readonly Directive[],
  part: Part,
  { report, output }: WsgiContext,
): Cut[] {
  const locations = merged.filter((one) => one.name === 'location' && isPrefix(one)).map(urlOf);
  const directories = merged
    .filter((one) => one.name === 'directory' && isPrefix(one))
    .map(({ args }) => trimmed(args[0] ?? ''));
  const below = mappings.flatMap(({ prefix, answer }) =>
    answer.kind === 'files'
      ? directories
          .filter((one) => one !== answer.path && isBelow(one, answer.path))
          .map((one) => prefix + one.slice(answer.path.length))
      : [],
  );
  const urls = [...new Set(['', ...mappings.map(({ prefix }) => prefix), ...locations, ...below])].sort();
  const cuts: Cut[] = [];
  for (const url of urls) {
    if (url !== '' && !isPlainPath(url)) {
      const directive = merged.find(({ args }) => args.some((one) => trimmed(one) === url)) ?? part.from[0];
      if (directive !== undefined)
        report.danger(directive, 'a route has no such path, so nothing of this section counts');
      continue;
    }
    const cut = cutAt(url, mappings, merged, part, output);
    const parent = parentOf(url, cuts);
    if (parent === null || !isSame(parent, cut)) cuts.push(cut);
  }
  return cuts;
}

function cutAt(
  url: string,
  mappings: readonly Mapping[],
  merged: readonly Directive[],
  { isSecure }: Part,
  output: string,
): Cut {
  const mapping = mappingAt(url, mappings);
  const answer = mapping?.answer;
  const file = fileOf(url, mapping);
  const isFile =
    answer?.kind === 'application' ||
    (answer?.kind === 'files' && url === mapping?.prefix && isFileAt(answer.path, url, output));
  const sections = sectionsFor({ url, path: file, isFile }, merged);
  const settings = sections.flat();
  return { url, mapping, file, isFile, settings, guard: guardAt(sections, mapping, isSecure) };
}

function fileOf(url: string, mapping: Mapping | null): string | null {
  const { answer, prefix = '' } = mapping ?? {};
  if (answer?.kind === 'files') return answer.path + url.slice(prefix.length);
  return answer?.kind === 'application' ? answer.script : null;
}

function isFileAt(path: string, url: string, output: string): boolean {
  const stat = statSync(path.startsWith('/') ? path : `${output}/${path}`, { throwIfNoEntry: false });
  return stat === undefined ? /\.\w+$/.test(url) && /\.\w+$/.test(path) : stat.isFile();
}

/** Rules of rewriting and programs in a section close it, because they could decide who may come in. */
function guardAt(sections: readonly (readonly Directive[])[], mapping: Mapping | null, isSecure: boolean): Guard {
  const [, ...inner] = sections;
  const ssl = sections.flat().find(({ name }) => name === 'sslrequiressl');
  if (ssl !== undefined && !isSecure) return { kind: 'denied', from: [ssl] };
  for (const all of inner) {
    const rule = isRewriting(all) ? all.find(({ name }) => name === 'rewriterule') : undefined;
    const handler = all.find(({ name, args }) => name === 'sethandler' && PROGRAM.test(args.join(' ')));
    const moved = all.find(({ name }) => name.startsWith('redirect'));
    if (rule !== undefined && rewritesOf(all, isSecure).length > 0)
      return closed([rule], 'rules of a section have no counterpart: write a route');
    if (handler !== undefined && !/wsgi-script/.test(handler.args.join(' ')))
      return closed([handler], 'a program answers there');
    if (handler !== undefined && mapping?.answer.kind === 'files')
      return closed([handler], 'each script needs a route with an application');
    if (moved !== undefined)
      return closed([moved], 'a redirect of a section has no counterpart: write a route with redirect');
  }
  return guardOf(sections);
}

function parentOf(url: string, cuts: readonly Cut[]): Cut | null {
  return cuts.findLast((cut) => cut.url !== url && isBelow(url, cut.url)) ?? null;
}

function isSame(one: Cut, other: Cut): boolean {
  const keyOf = ({ mapping, settings, guard, isFile }: Cut): string =>
    JSON.stringify([
      mapping?.directive.line,
      mapping?.prefix,
      isFile,
      guard,
      settings.filter(({ name }) => COUNTS.test(name)),
    ]);
  return keyOf(one) === keyOf(other);
}

/** Directives that change how a route answers, beside those of access. */
const COUNTS = /^(?:header|requestheader|errordocument|directoryindex|options|limitrequestbody)$/;

/** `Alias /x/` leaves `/x` itself to what answers above it. */
function exactPaths(cuts: readonly Cut[], early: readonly PatternRule[]): Map<Cut, string[]> {
  const exact = new Map<Cut, string[]>();
  for (const cut of cuts) {
    const parent = parentOf(cut.url, cuts);
    const isMapped = cut.mapping?.prefix === cut.url && cut.mapping.hasSlash;
    if (!isMapped || parent === null || early.some(({ pattern }) => new RegExp(pattern).test(cut.url))) continue;
    exact.set(parent, [...(exact.get(parent) ?? []), cut.url]);
  }
  return exact;
}

function rulesOfFiles({ url, file, isFile, mapping }: Cut, merged: readonly Directive[]): PatternRule[] {
  if (mapping?.answer.kind !== 'files' || isFile || file === null) return [];
  const directories = merged.filter(
    (one) => one.name === 'directory' && isPrefix(one) && isBelow(file, trimmed(one.args[0] ?? '')),
  );
  return filesRules([...merged, ...directories.flatMap(({ children }) => children ?? [])], url);
}

function start({ listen, hosts, from }: Part, context: WsgiContext): ConfigBuilder {
  const route = context.builder.append('route');
  if (listen.length > 0) route.set('listen', listen.length === 1 ? (listen[0] as string) : listen, ...from.slice(0, 1));
  if (hosts.length > 0) route.set('host', hosts.length === 1 ? (hosts[0] as string) : hosts, ...from);
  return route;
}

function writeRule({ directive, others, pattern, action, when }: PatternRule, part: Part, context: WsgiContext): void {
  const { report } = context;
  const route = start(part, context);
  route.set('path_pattern', pattern === '' ? '^' : pattern, directive);
  if (Object.keys(when).length > 0) route.set('when', when as unknown as Value, ...others);
  for (const one of [directive, ...others]) report.took(one);
  if (action.kind === 'redirect') {
    const table = route.table('redirect');
    if (/\{\d\}/.test(action.to)) {
      table.set('pattern', pattern, directive);
      table.set('decoded', true, directive);
    }
    table.set('to', action.to, directive);
    table.set('status', action.status, directive);
    return;
  }
  route.table('respond').set('status', action.kind === 'status' ? action.status : 403, directive);
  if (action.kind === 'closed') report.closed(directive, `its paths get 403: ${action.reason}`);
}

function writeCut(
  cut: Cut,
  exact: readonly string[],
  early: readonly PatternRule[],
  part: Part,
  apps: Apps,
  context: WsgiContext,
): void {
  const { url, mapping, isFile, settings, guard } = cut;
  const isExact = isFile && mapping?.answer.kind === 'files';
  if (isExact && early.some(({ pattern }) => new RegExp(pattern).test(url))) return;
  const route = start(part, context);
  const from = mapping === null ? part.from.slice(0, 1) : [mapping.directive];
  const whole = url === '' ? '*' : isExact ? url : `${url}/*`;
  if (exact.length > 0) route.set('path', [whole, ...exact], ...from);
  else if (url !== '') route.set('path', whole, ...from);
  const isOpen = writeGuard(route, guard, context);
  writeAnswer(route, cut, isOpen, apps, context);
  writeFields(route, settings, context);
  writeErrorPages(route, settings, context);
  const limit = settings.findLast(({ name }) => name === 'limitrequestbody');
  if (limit !== undefined && Number(limit.args[0]) > 0) route.set('body_bytes_max', Number(limit.args[0]), limit);
}

function writeAnswer(
  route: ConfigBuilder,
  { url, mapping, file, isFile, settings }: Cut,
  isOpen: boolean,
  apps: Apps,
  context: WsgiContext,
): void {
  const { report, pathOf } = context;
  if (mapping === null) {
    route.table('respond').assume('status', 404, 'nothing answers here');
    return;
  }
  const { directive, answer, prefix } = mapping;
  report.took(directive);
  if (answer.kind === 'application') {
    if (prefix !== '') route.set('mount', prefix, directive);
    route.set('app', apps.nameOf(answer), directive);
  } else if (answer.kind === 'backend') writeBackend(route, mapping, settings, context);
  else if (answer.kind === 'none') {
    route.table('respond').set('status', 403, directive);
    if (isOpen) report.closed(directive, `its paths get 403: ${answer.reason}`);
  } else if (isFile) {
    route.set('static', pathOf(dirname(answer.path)), directive);
    if (basename(answer.path) !== basename(url))
      route.table('static_options').set('try_files', [basename(answer.path)], directive);
  } else {
    route.set('static', pathOf(file ?? answer.path), directive);
    writeFileOptions(route, settings, context);
  }
}
