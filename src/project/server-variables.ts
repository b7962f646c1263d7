import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A place in a project that reads a variable of the environ that only another server sets. */
export interface ServerVariable {
  /** Relative to the directory of the project. */
  readonly file: string;
  readonly line: number;
  readonly name: string;
  /** The server that sets it. */
  readonly server: string;
}

const FILES_MAX = 5000;
const BYTES_MAX = 1_000_000;
/** Directories that hold no source of the project. A virtual environment has a file that shows it. */
const OTHERS = new Set(['node_modules', 'site-packages', '__pycache__', 'build', 'dist']);
const VIRTUAL_ENVIRONMENT = 'pyvenv.cfg';

/** Variables by their server, as measured; see docs/servers.md. */
const SERVERS: readonly (readonly [name: RegExp, server: string])[] = [
  [/^gunicorn\.\w+$/, 'gunicorn'],
  [/^(?:uwsgi\.\w+|UWSGI_ROUTER)$/, 'uWSGI'],
  [/^(?:mod_wsgi\.\w+|apache\.version)$/, 'mod_wsgi'],
  [/^werkzeug\.(?:socket|server\.shutdown)$/, 'the development server of Werkzeug'],
  [/^waitress\.client_disconnected$/, 'waitress'],
  [/^eventlet\.\w+$/, 'eventlet'],
  [/^asgi\.scope$/, 'a2wsgi'],
  [/^ACTUAL_SERVER_PROTOCOL$/, 'cheroot'],
];
/** Variables of CGI. Their names mean other things too, so they count only as a key of an environ. */
const OF_CGI =
  /^(?:DOCUMENT_ROOT|PATH_TRANSLATED|SCRIPT_FILENAME|SERVER_ADDR|SERVER_ADMIN|SERVER_SIGNATURE|REQUEST_SCHEME|CONTEXT_PREFIX|CONTEXT_DOCUMENT_ROOT)$/;
const STRING = /(["'])([A-Za-z_][\w.]*)\1/g;
const ENVIRON_KEY = /(?<!os\.)(?:environ|META)(?:\.get\(|\[)\s*$/;

/** Searches the Python files of a project, without its virtual environment. Files that cannot be read are left out. */
export function findServerVariables(directory: string): ServerVariable[] {
  const found: ServerVariable[] = [];
  for (const path of pythonFiles(directory)) {
    const file = relative(directory, path);
    for (const [index, line] of readLines(path).entries())
      for (const { name, server } of variablesIn(line)) found.push({ file, line: index + 1, name, server });
  }
  return found;
}

function variablesIn(line: string): { name: string; server: string }[] {
  const code = line.trimStart().startsWith('#') ? '' : line;
  return [...code.matchAll(STRING)].flatMap(({ 2: name = '', index }) => {
    const server = SERVERS.find(([pattern]) => pattern.test(name))?.[1];
    if (server !== undefined) return [{ name, server }];
    const isKey = OF_CGI.test(name) && ENVIRON_KEY.test(code.slice(0, index));
    return isKey ? [{ name, server: 'Apache with mod_wsgi' }] : [];
  });
}

/** The Python files below `directory`, in the order of their names. */
function pythonFiles(directory: string): string[] {
  const files: string[] = [];
  const waiting = [directory];
  for (let next = waiting.shift(); next !== undefined && files.length < FILES_MAX; next = waiting.shift()) {
    for (const entry of entriesOf(next)) {
      const path = join(next, entry.name);
      if (entry.isFile() && entry.name.endsWith('.py')) files.push(path);
      else if (entry.isDirectory() && isSource(entry.name, path)) waiting.push(path);
    }
  }
  return files;
}

function isSource(name: string, path: string): boolean {
  return !name.startsWith('.') && !OTHERS.has(name) && !existsSync(join(path, VIRTUAL_ENVIRONMENT));
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function readLines(path: string): string[] {
  try {
    return statSync(path).size > BYTES_MAX ? [] : readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

const SHOWN_MAX = 10;

/** The places as sentences, at most ten of them. */
export function describeServerVariables(found: readonly ServerVariable[]): string[] {
  const lines = found
    .slice(0, SHOWN_MAX)
    .map(({ file, line, name, server }) => `${file}:${line} reads "${name}", which only ${server} sets`);
  const more = found.length - lines.length;
  return more > 0 ? [...lines, `${more} more places read variables of other servers`] : lines;
}
