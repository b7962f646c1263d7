import type { ConfigBuilder } from '../config-builder.ts';
import { writeFeatures } from './features.ts';
import { textOf } from './model/bytes.ts';
import { typeOfPath } from './model/files.ts';
import type { Instruction } from './model/model.ts';
import { fill } from './placeholders.ts';
import { leadsSomewhere } from './redirect-target.ts';
import { type RouteSink, type StepState, valuesAt, valuesWithGroups } from './step-state.ts';
import type { Directive } from './tree.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Without a text this status closes the connection, in both servers. */
const CLOSES = 444;

/** Writes the answer of a `return`. nginx gives it before any access rule. */
export function writeReturn(
  route: ConfigBuilder,
  { status, text, statement }: Extract<Instruction, { readonly kind: 'return' }>,
  state: StepState,
  writer: RouteSink,
): void {
  const directive = statement as Directive;
  const { builder, report } = writer.context;
  report.took(directive);
  const isRedirect = REDIRECTS.has(status) && text !== null;
  const filled = fill(
    text ?? [],
    isRedirect ? valuesWithGroups(state, writer) : { ...valuesAt(state, writer), isDecoded: true },
  );
  const respond = (code: number, body: string): void => {
    const table = route.table('respond');
    table.set('status', code, directive);
    if (body !== '') table.set('body', body, directive);
  };
  if (isRedirect) {
    if ('unknown' in filled || !leadsSomewhere(filled.text, builder)) {
      report.lost(
        directive,
        'unknown' in filled ? `${filled.unknown} has no counterpart` : 'it is neither a path nor a URL',
      );
      respond(404, '');
    } else {
      const redirect = route.table('redirect');
      redirect.set('to', filled.text, directive);
      redirect.set('status', status, directive);
      if (/\{\d\}/.test(filled.text) && state.match.pattern !== null) {
        redirect.set('pattern', state.match.pattern, directive);
        redirect.set('decoded', true, directive);
      }
    }
  } else if (status === CLOSES && text === null) respond(CLOSES, '');
  else if (!(status >= 200 && status <= 599)) {
    report.differs(directive, 'this status is not that of an answer; it becomes 404');
    respond(404, '');
  } else if ('unknown' in filled) {
    report.lost(directive, `${filled.unknown} has no counterpart; the answer has no text`);
    respond(status, '');
  } else if (/\{[a-z]/.test(filled.text) && !/^text\/(?:plain|html)$/.test(textOf(typeOf(state)))) {
    report.lost(directive, 'only plain text and HTML can have values of a request; the answer has no text');
    respond(status, '');
  } else {
    respond(status, filled.text);
    if (filled.text !== '') route.table('respond').set('content_type', textOf(typeOf(state)), directive);
  }
  const isText = (text !== null && !isRedirect) || status === CLOSES;
  writeFeatures(route, state, writer, isText ? 'text' : 'return');
}

/** nginx finds the type of a text by the extension of the path, as for a file. Paths that only a pattern or a prefix names usually have none. */
function typeOf({ level, location }: StepState): string {
  const known = location?.kind === 'exact' ? typeOfPath(location.path, level) : null;
  return known ?? level.settings.defaultType;
}
