import type { ConfigBuilder } from '../config-builder.ts';
import { writeFeatures } from './features.ts';
import { writeFiles } from './files.ts';
import type { Level } from './model/model.ts';
import { notFound } from './no-answer.ts';
import { writeProxy } from './proxy.ts';
import type { RouteSink, StepState } from './step-state.ts';
import type { Directive } from './tree.ts';
import { writeTryFiles } from './try-files.ts';

/** Makes a route answer as a level does after its rewrites: with a backend, or with files. A route without an answer gets 404. */
export function writeContent(route: ConfigBuilder, state: StepState, writer: RouteSink): void {
  const { rewrite } = state;
  if (rewrite !== null) {
    route.table('rewrite').set('pattern', rewrite.pattern, rewrite.from);
    route.table('rewrite').set('decoded', true, rewrite.from);
    route.table('rewrite').set('to', rewrite.to, rewrite.from);
  }
  const behind = writeAnswer(route, state, writer);
  writeFeatures(route, state, writer, 'content');
  if (behind !== null) tellRulesBehind(behind, writer);
}

/** Returns the location that answers where no file exists; null if there is none. */
function writeAnswer(route: ConfigBuilder, state: StepState, writer: RouteSink): Level | null {
  const { level, location } = state;
  const { report } = writer.context;
  const tryFiles = location === null || level === location ? (location ?? writer.server).tryFiles : level.tryFiles;
  if (level.handler?.kind === 'opaque') {
    report.lost(level.handler.statement, 'Viaduct has no counterpart; the route answers 404');
    notFound(route);
    return null;
  }
  if (tryFiles !== null) return writeTryFiles(route, tryFiles, state, writer);
  const isWritten =
    level.handler === null ? writeFiles(route, state, writer) : writeProxy(route, level.handler, state, writer);
  if (!isWritten) notFound(route);
  return null;
}

/** Rules of the location behind `try_files` apply to the files before it, too, so that no protected file becomes public. */
function tellRulesBehind(level: Level, { context }: RouteSink): void {
  for (const directive of (level.statement as Directive).block ?? []) {
    if (ON_THE_WAY.test(directive.name)) context.report.differs(directive, 'it applies to the files of the route, too');
  }
}

const ON_THE_WAY = /^(?:add_header|expires|allow|deny|auth_basic|auth_request|limit_req|limit_conn|error_page|gzip)$/;
