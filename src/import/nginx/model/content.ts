import { escapePath } from './escape.ts';
import type { Exchange } from './exchange.ts';
import { kindOf, pathOf } from './files.ts';
import type { Handler, TryFiles } from './model.ts';
import { passToBackend } from './pass-to-backend.ts';
import { sendFile } from './respond.ts';
import { enterNamed, redirectInternally, type Step, splitArguments, status } from './step.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** What answers after rewrites and access: `try_files`, then a handler or files. */
export function answerContent(exchange: Exchange): Step {
  const { tryFiles } = exchange.level;
  const step = tryFiles === null ? null : tryPaths(exchange, tryFiles);
  if (step !== null) return step;
  if (exchange.handler !== null) return handle(exchange, exchange.handler);
  if (exchange.uri === '') throw new UnknownMeaning('a redirect to an empty URI');
  return findIndex(exchange) ?? listDirectory(exchange) ?? findFile(exchange);
}

/** The handler decides which module answers, and the level which backend. */
function handle(exchange: Exchange, handler: Handler): Step {
  if (handler.kind === 'opaque') throw new UnknownMeaning(handler.statement.text);
  const backend = exchange.level.handler;
  if (backend?.kind !== 'backend' || backend.module !== handler.module) return status(500);
  return { to: 'done', outcome: passToBackend(exchange, backend) };
}

/** `try_files`: the first path that exists replaces the URI, else the last argument decides. */
function tryPaths(exchange: Exchange, { files, otherwise }: TryFiles): Step | null {
  const { replaces } = exchange.level.settings.root;
  const root = pathOf(exchange, exchange.uri.slice(0, replaces === 'all' ? 0 : replaces));
  if (root === null) return status(500);
  for (const { path, isDirectory } of files) {
    const name = nameOf(exchange, path);
    if (kindOf(exchange, root + name) !== (isDirectory ? 'directory' : 'file')) continue;
    if (replaces === 'all') {
      if (!isDirectory) {
        exchange.uri = name;
        exchange.addsUriToAlias = true;
      }
    } else exchange.uri = exchange.uri.slice(0, replaces) + name;
    return null;
  }
  if (typeof otherwise === 'number') return status(otherwise);
  const target = nameOf(exchange, otherwise);
  if (target.startsWith('@')) return enterNamed(exchange, target);
  const { path, args } = splitArguments(target);
  return redirectInternally(exchange, path, args);
}

/** With `alias`, a value with variables loses the path of the location. */
function nameOf(exchange: Exchange, template: TryFiles['files'][number]['path']): string {
  const name = exchange.evaluate(template);
  const { replaces } = exchange.level.settings.root;
  const hasVariables = template.some(({ kind }) => kind !== 'text');
  if (replaces === 'all' || !hasVariables || !name.startsWith(exchange.uri.slice(0, replaces))) return name;
  return name.slice(replaces);
}

/** `index`: a file in the directory becomes the URI. */
function findIndex(exchange: Exchange): Step | null {
  const { uri, level } = exchange;
  if (!uri.endsWith('/') || !['GET', 'HEAD', 'POST'].includes(exchange.method)) return null;
  for (const template of level.settings.index) {
    const name = exchange.evaluateOnce(template);
    if (name.startsWith('/')) return redirectInternally(exchange, name, exchange.args);
    const directory = pathOf(exchange);
    if (directory === null) return status(500);
    if (name === '') return status(500);
    if (kindOf(exchange, directory + name) !== null) return redirectInternally(exchange, uri + name, exchange.args);
    const kind = kindOf(exchange, directory);
    // a file is noticed only where the name of the index was not appended to it with a slash
    if (kind !== 'directory') return status(kind === 'file' ? 500 : 404);
  }
  return null;
}

function listDirectory(exchange: Exchange): Step | null {
  const { uri, level, method } = exchange;
  if (!uri.endsWith('/') || !level.settings.autoindex || !['GET', 'HEAD'].includes(method)) return null;
  const path = pathOf(exchange);
  if (path === null) return status(500);
  // nginx cuts the last character off, whatever it is: `alias` without a slash at its end lists another directory
  const directory = path.slice(0, -1) || path;
  if (kindOf(exchange, directory) !== 'directory') return status(404);
  return { to: 'done', outcome: sendFile(exchange, directory, true) };
}

function findFile(exchange: Exchange): Step {
  const { uri, method, args } = exchange;
  if (!['GET', 'HEAD', 'POST'].includes(method)) return status(405);
  if (uri.endsWith('/')) return status(403);
  const path = pathOf(exchange);
  if (path === null) return status(500);
  const kind = kindOf(exchange, path);
  if (kind === null) return status(404);
  if (kind === 'directory') {
    exchange.redirectTo = `${escapePath(uri)}/${args === '' ? '' : `?${args}`}`;
    return status(301);
  }
  if (method === 'POST') return status(405);
  return { to: 'done', outcome: sendFile(exchange, path, false) };
}
