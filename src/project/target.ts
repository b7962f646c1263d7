import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { ViaductError } from '../errors.ts';

/** A directory, and the module and callable in it; null where the user did not name them. */
export interface Target {
  readonly directory: string;
  readonly module: string | null;
  /** A callable, or a call of one: `app`, `site.app`, `create_app('prod')`. Python reads the arguments. */
  readonly callable: string | null;
  /** A file of PasteDeploy in `directory`, with `#NAME` for one of its applications; null for Python code. */
  readonly paste: string | null;
}

const ADVICE = 'Name the directory of a project, or its application as MODULE:CALLABLE.';
const NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*`;
const CALLABLE = String.raw`${NAME}(?:\.${NAME})*(?:\([\s\S]*\))?`;
const INI = /^([\s\S]+\.ini)(#[^#]+)?$/;
// Functions, because each takes half a millisecond to construct, and no start needs both.
const modulePattern = (): RegExp => new RegExp(`^(${NAME}(?:\\.${NAME})*)(?::(${CALLABLE}))?$`, 'u');
const filePattern = (): RegExp => new RegExp(`^(.+\\.(?:py|wsgi))(?::(${CALLABLE}))?$`, 'u');

/**
 * Parses PATH (a directory, a Python file or a script of mod_wsgi (`.wsgi`) with or without :CALLABLE, or a file of PasteDeploy with or without #NAME) or
 * MODULE:CALLABLE. Both are relative to `chdir`. Null means `chdir` itself.
 *
 * @throws ViaductError `APPLICATION_MISSING` for any other text.
 */
export function readTarget(text: string | null, chdir: string): Target {
  if (text === null) return inDirectory(existing(chdir));
  const path = resolve(chdir, text);
  if (isDirectory(path)) return inDirectory(path);
  const ini = INI.exec(text);
  if (ini !== null) return readIni(text, resolve(chdir, ini[1] as string), ini[2] ?? '');
  const file = /\.(?:py|wsgi)/.test(text) ? filePattern().exec(text) : null;
  // shop.wsgi is a module of Django's unless there is such a file
  if (file !== null && (file[1]?.endsWith('.py') === true || existsSync(resolve(chdir, file[1] as string))))
    return readFile(text, resolve(chdir, file[1] as string), file[2] ?? null);
  if (existsSync(path)) throw refused(text, 'it is not a Python file');
  const match = modulePattern().exec(text);
  if (match === null) throw notTarget(text, chdir);
  return { directory: existing(chdir), module: match[1] as string, callable: match[2] ?? null, paste: null };
}

/**
 * A file inside packages becomes a module of the directory above the packages. Otherwise its relative imports would
 * fail.
 */
function readFile(text: string, path: string, callable: string | null): Target {
  if (!existsSync(path)) throw missingTarget(text);
  let directory = dirname(path);
  const name = basename(path, extname(path));
  if (name === 'manage' && callable === null) return inDirectory(directory);
  const names = name === '__init__' ? [] : [name];
  while (existsSync(join(directory, '__init__.py')) && dirname(directory) !== directory) {
    names.unshift(basename(directory));
    directory = dirname(directory);
  }
  return { directory, module: names.join('.'), callable, paste: null };
}

/** What PasteDeploy calls relative is relative to the directory of the file. */
function readIni(text: string, path: string, fragment: string): Target {
  if (!existsSync(path)) throw missingTarget(text);
  return { ...inDirectory(dirname(path)), paste: basename(path) + fragment };
}

function inDirectory(directory: string): Target {
  return { directory, module: null, callable: null, paste: null };
}

function existing(directory: string): string {
  const path = resolve(directory);
  if (!isDirectory(path)) throw missingTarget(directory);
  return path;
}

/** Why `text`, which is not a path, is not MODULE:CALLABLE either. */
function notTarget(text: string, chdir: string): ViaductError {
  const colon = text.indexOf(':');
  if (colon < 0) return missingTarget(text, adviceToNameFile(text, '', chdir));
  const [module, callable] = [text.slice(0, colon), text.slice(colon + 1)];
  if (module === '') return refused(text, 'it names no module before the colon');
  if (modulePattern().test(module) || isFile(resolve(chdir, module))) {
    const state =
      callable === ''
        ? 'it names no callable after the colon'
        : `"${callable}" is not a name, and not a call of a name`;
    return refused(text, state);
  }
  const advice = adviceToNameFile(module, `:${callable}`, chdir);
  if (module.includes('/')) return missingTarget(text, advice);
  return refused(
    text,
    `Python has no modules with the name "${module}"`,
    advice ?? `${ADVICE} Name a file with such a name: PATH.py:CALLABLE.`,
  );
}

/** `my-app` is not the name of a module, and `site/app` is not one either. But their files can be served. */
function adviceToNameFile(module: string, callable: string, chdir: string): string | undefined {
  const paths = [`${module}.py`, `${module.replaceAll('.', '/')}.py`, `${module}/__init__.py`];
  const path = paths.find((file) => isFile(resolve(chdir, file)));
  return path === undefined ? undefined : `Name its file: ${path}${callable}`;
}

function missingTarget(text: string, advice = ADVICE): ViaductError {
  return refused(text, 'there is no such file or directory', advice);
}

function refused(text: string, state: string, advice = ADVICE): ViaductError {
  return new ViaductError('APPLICATION_MISSING', `Cannot serve "${text}": ${state}`, { advice });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
