import type { Observation } from './observation.ts';
import { REQUESTS, type ServerRequest } from './requests.ts';

/** What is compared of an observation: a name for each aspect, and its value in words. */
export type Aspects = Readonly<Record<string, string>>;
/** The aspects of each request. */
export type Behaviour = Readonly<Record<string, Aspects>>;

const FRAMING = {
  length: 'with its length',
  chunked: 'in chunks',
  close: 'until the connection ends',
  none: 'without content',
};

/** Variables whose values differ from run to run, or from machine to machine. */
const CHANGING =
  /^(?:REMOTE_PORT|SERVER_SOFTWARE|uwsgi\.(?:node|core)|SCRIPT_FILENAME|mod_wsgi\.(?!process_group|application_group|callable_object).*|apache\.version|PATH_TRANSLATED|HTTP_.*|DOCUMENT_ROOT|CONTEXT_DOCUMENT_ROOT)$/;
/** Fields that the server adds; only the first request tells them. */
const OF_SERVER = /^(?:Server|Date|Connection|Keep-Alive|Transfer-Encoding|Vary|Via)(?:$|:)/i;

/** What a server does, from what was observed. */
export function behaviourOf(observations: Readonly<Record<string, Observation>>): Behaviour {
  const plain = observations.plain as Observation;
  return Object.fromEntries(
    REQUESTS.map((request) => [request.name, aspectsOf(request, observations[request.name] as Observation, plain)]),
  );
}

function aspectsOf(request: ServerRequest, seen: Observation, plain: Observation): Aspects {
  const isPlain = request.name === 'plain';
  const aspects: Record<string, string> = { status: seen.status };
  if (seen.answers > 0) {
    aspects.version = `over ${seen.version}`;
    if (seen.status.startsWith('2'))
      aspects.reason = seen.reason === '' ? 'no reason phrase' : `the reason ${code(seen.reason)}`;
  }
  if (seen.interim.length > 0) aspects.interim = `${seen.interim.join(', ')} first`;
  if (request.name === 'two at once') aspects.answers = `${seen.answers} responses`;
  if (isPlain || (!plain.closed && seen.complete))
    aspects.closed = seen.closed ? 'the connection is closed' : 'the connection stays open';
  if (request.about === 'content' && seen.status.startsWith('2')) {
    aspects.framing = FRAMING[seen.framing];
    aspects.content = seen.content === '' ? 'nothing' : code(seen.content);
    if (!seen.complete) aspects.complete = 'cut off';
  }
  if (request.about === 'fields' && /^[23]/.test(seen.status)) {
    const isOwn = request.name === 'own-fields';
    const lines = seen.fields
      .map(canonical)
      .filter((line) => isOwn === /^(?:Server|Date)/.test(line) && (isOwn || !OF_SERVER.test(line)))
      .filter((line) => line !== 'Content-Length' || seen.status !== '200');
    aspects.fields = lines.length === 0 ? 'no fields' : [...lines].sort().map(code).join(', ');
  }
  if (isPlain) Object.assign(aspects, ofServer(seen));
  if (seen.environ !== null) Object.assign(aspects, variablesOf(request, seen.environ));
  if (request.octets.includes('X-Do: read'))
    aspects.read = seen.status === '200' ? `reads ${code(JSON.stringify(seen.read))}` : '';
  return aspects;
}

/** The line with its name in the usual case. */
function canonical(line: string): string {
  return line
    .replace(/^[^:]+/, (name) => name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (start) => start.toUpperCase()))
    .replace(/^(Server: *[^/ ]*).*$/, '$1');
}

/** What a server adds to each response. */
function ofServer({ fields }: Observation): Aspects {
  const has = (name: string) => fields.find((line) => line.toLowerCase().startsWith(name));
  const server = has('server:');
  return {
    date: has('date') === undefined ? 'no `Date`' : 'a `Date`',
    server: server === undefined ? 'no `Server`' : code(canonical(server)),
  };
}

function variablesOf({ name, keys }: ServerRequest, environ: Readonly<Record<string, unknown>>): Aspects {
  const names = keys ?? Object.keys(environ).sort();
  return Object.fromEntries(
    names
      .filter((key) => keys !== undefined || !/^HTTP_/.test(key))
      .map((key) => [`environ ${key}`, key in environ ? describeValue(key, environ[key], name === 'plain') : 'absent']),
  );
}

function describeValue(key: string, value: unknown, isPlain: boolean): string {
  const isObject = typeof value === 'string' && value.startsWith('<');
  return isObject || (isPlain && CHANGING.test(key))
    ? 'present'
    : code(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A value as code in a table. */
function code(text: string): string {
  if (text === '') return 'empty';
  const short = text.length > 60 ? `${text.slice(0, 40)}…` : text;
  const shown = short.replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('|', '\\|');
  return shown.includes('`') ? `\`\` ${shown} \`\`` : `\`${shown}\``;
}
