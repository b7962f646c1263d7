import { join, posix } from 'node:path';
import type { PathKind } from '../../check/outcome.ts';
import { textOf } from './bytes.ts';
import type { Exchange } from './exchange.ts';
import type { Level } from './model.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** The directory of `root` or `alias` for a request. */
export function rootOf(exchange: Exchange): string {
  const path = exchange.evaluate(exchange.level.settings.root.path);
  return path.startsWith('/') ? path : join(exchange.around.model.prefix, path);
}

/** The path that a URI stands for, or null where `alias` meets a URI that was rewritten. */
export function pathOf(exchange: Exchange, uri = exchange.uri): string | null {
  const { replaces } = exchange.level.settings.root;
  if (replaces !== 0 && !exchange.validLocation) return null;
  // nginx reads beyond the URI here: its worker may crash
  if (replaces !== 'all' && uri.length < replaces)
    throw new UnknownMeaning(`alias with the shorter path ${textOf(uri)}`);
  if (replaces === 'all') return rootOf(exchange) + (exchange.addsUriToAlias ? uri : '');
  return rootOf(exchange) + uri.slice(replaces);
}

/** What is at a path. A file with a slash after it does not exist. */
export function kindOf({ around }: Exchange, path: string): PathKind {
  if (path === '') return null;
  if (path.includes('/..')) {
    for (const { index } of path.matchAll(/\/+\.\.(?=\/|$)/g))
      if (around.disk(plainPath(path.slice(0, index) || '/')) !== 'directory') return null;
  }
  const kind = around.disk(plainPath(path));
  return kind === 'file' && path.endsWith('/') ? null : kind;
}

/** A path as a text, without doubled slashes, dots, and a slash at its end. */
export function plainPath(path: string): string {
  const text = textOf(path);
  const normal = /\/(?:\/|\.)/.test(text) || !text.startsWith('/') ? posix.normalize(text) : text;
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal;
}

/** The media type that nginx gives a file: by the extension of the URI. Null where the file with the types is missing. */
export function mediaTypeOf({ uri, level }: Exchange): string | null {
  return typeOfPath(uri, level);
}

/** The same for a path at a level. */
export function typeOfPath(uri: string, { settings: { types, defaultType } }: Level): string | null {
  if (types === null) return null;
  // the first two characters are never its dot: `try_files x.css` can make a URI without a slash
  const extension = /(?<=^.+[^/])\.([^./]*)$/s.exec(uri)?.[1];
  return (extension === undefined ? undefined : types.get(extension.toLowerCase())) ?? defaultType;
}
