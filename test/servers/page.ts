import type { Aspects, Behaviour } from './aspects.ts';
import { SERVERS, type Server } from './peers.ts';
import { REQUESTS } from './requests.ts';

/** What was recorded of one server. */
export interface Recorded {
  readonly version: string;
  readonly behaviour: Behaviour;
}
/** By name of server; ours is `viaduct`. */
export type Recording = Readonly<Record<string, Recorded>>;

const REQUEST_ROWS = REQUESTS.filter(({ about }) => about === undefined);
const RESPONSE_ROWS = REQUESTS.filter(({ about }) => about !== undefined);
const MARK = '<!-- Written by test/servers/servers.test.ts from test/servers/recorded.json: do not edit. -->';

/** Variables that a server sets for each request, or for none. */
const ALWAYS: ReadonlySet<string> = new Set([
  'environ REQUEST_URI',
  'environ RAW_URI',
  'environ wsgi.input_terminated',
]);

/** What a server may do with all responses. */
const OF_ALL: ReadonlySet<string> = new Set(['closed', 'version', 'reason']);

/** A row of a page: a request, what the other server does differently, and what Viaduct does. */
interface Row {
  readonly words: string;
  readonly theirs: string;
  readonly ours: string;
}

/** The page with all servers. */
export function renderIndex(recording: Recording): string {
  const rows = SERVERS.map((server) => {
    const { version, behaviour } = recording[server.name] as Recorded;
    const count = rowsOf(REQUESTS, behaviour, ourBehaviour(recording)).length;
    return `| [${server.title}](servers/${server.name}.md) | ${version} | ${count} |`;
  });
  return `${MARK}
# Other servers

What does an application see, and what does its client get, when it moves to Viaduct? ${REQUESTS.length} requests were sent to
the same small application in ${SERVERS.length} servers and in Viaduct. Each page below lists only what is different.

| server | version | different rows |
|---|---|--:|
${rows.join('\n')}

Each server runs as its documentation starts it, without further options. gunicorn and uWSGI are here twice, because
their ways of receiving requests differ. mod_wsgi is the one of Debian, as a daemon process behind Apache.

[From gunicorn](from-gunicorn.md), [from uWSGI](from-uwsgi.md) and [from mod_wsgi](from-mod-wsgi.md) say which setting
takes the place of which. [WSGI](wsgi.md) says what Viaduct promises an application, and [HTTP](http.md) what it accepts.
The variables that only some servers have are in the first row of each page. \`viaduct check\` names the files of a project
that read them.

The tests repeat all requests with the versions above, and fail if a row changes.
`;
}

/** The page of one server. */
export function renderServer(server: Server, recording: Recording): string {
  const { version, behaviour } = recording[server.name] as Recorded;
  const ours = ourBehaviour(recording);
  return `${MARK}
# ${server.title} beside Viaduct

These rows differ between ${server.title} (version ${version}) and Viaduct. In all others of the ${REQUESTS.length} requests
both do the same. [Other servers](../servers.md) says how this was measured.

## What the application sees

${table(server, rowsOf(REQUEST_ROWS, behaviour, ours), 'request')}

## What the client gets

${table(server, rowsOf(RESPONSE_ROWS, behaviour, ours), 'the application returns')}
`;
}

function ourBehaviour(recording: Recording): Behaviour {
  return (recording.viaduct as Recorded).behaviour;
}

function table({ title }: Server, rows: readonly Row[], subject: string): string {
  if (rows.length === 0) return 'No difference.';
  const name = title.startsWith('the ') ? 'that server' : title;
  return `| ${subject} | ${name} | Viaduct |
|---|---|---|
${rows.map(({ words, theirs, ours }) => `| ${words} | ${theirs} | ${ours} |`).join('\n')}`;
}

function rowsOf(requests: typeof REQUESTS, theirs: Behaviour, ours: Behaviour): Row[] {
  return requests.flatMap(({ name, words }) => {
    const [their, our] = differing(name, theirs, ours);
    if (their.length === 0 && our.length === 0) return [];
    return [{ words, theirs: their.join('; ') || '–', ours: our.join('; ') || '–' }];
  });
}

/** The aspects that differ, in words. Where one of them answers with an error, the rest says nothing more. */
function differing(name: string, theirs: Behaviour, ours: Behaviour): readonly [string[], string[]] {
  const [their, our] = [theirs[name] ?? {}, ours[name] ?? {}];
  const names = [...new Set([...Object.keys(their), ...Object.keys(our)])].filter(
    (aspect) => their[aspect] !== our[aspect] && (name === 'plain' || isGeneral(aspect, theirs, ours)),
  );
  const refuses = ({ status = '' }: Aspects) => !status.startsWith('2');
  const shown = names.includes('status') && (refuses(their) || refuses(our)) ? ['status'] : names;
  return [inWords(their, shown), inWords(our, shown)];
}

/** False for what the first row has already said: a variable that one of them never sets, a server that always closes. */
function isGeneral(aspect: string, theirs: Behaviour, ours: Behaviour): boolean {
  const plain = [theirs.plain?.[aspect], ours.plain?.[aspect]];
  if (OF_ALL.has(aspect)) return plain[0] === plain[1];
  return !ALWAYS.has(aspect) || (plain[0] !== undefined && plain[1] !== undefined);
}

function inWords(aspects: Aspects, names: readonly string[]): string[] {
  const said = names.flatMap((name) => {
    const value = aspects[name];
    if (value === undefined || value === '') return [];
    if (!name.startsWith('environ ')) return [value];
    if (name === 'environ (environment)') return ['the variables of its process'];
    const variable = `\`${name.slice('environ '.length)}\``;
    if (value === 'present') return [variable];
    return [value === 'absent' ? `no ${variable}` : `${variable} is ${value}`];
  });
  return said;
}
