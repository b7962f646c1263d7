import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { createJiti, Jiti, JitiOptions } from 'jiti';
import { programFile } from '../program-files.ts';
import { packageAliases } from './package-aliases.ts';

/** What the entry of jiti gives to its core. */
interface Context {
  readonly onError: (error: Error) => never;
  readonly nativeImport: (path: string) => Promise<unknown>;
  readonly createRequire: typeof createRequire;
}

type Core = (id: string, options: JitiOptions, context: Context) => ReturnType<typeof createJiti>;

const PACKAGES = `${sep}node_modules${sep}`;
/** This program, whose classes must exist once. */
const PROGRAM = programFile('');

/**
 * Imports modules of a project, in TypeScript and JavaScript, on every Node version that Viaduct supports. A new importer imports them again, with
 * all modules of the project that they import. Node caches packages, so these are not imported again.
 *
 * jiti leaves ES modules in JavaScript to Node, which keeps them for ever. So its core gets an import that refuses those of the
 * project. Then it compiles them as it does TypeScript.
 */
export function createProjectImporter(): Jiti {
  const require = createRequire(import.meta.url);
  const core = join(dirname(dirname(require.resolve('jiti'))), 'dist');
  const create = require(join(core, 'jiti.cjs')) as Core;
  const transform: NonNullable<JitiOptions['transform']> = (options) => require(join(core, 'babel.cjs'))(options);
  return create(
    import.meta.url,
    { alias: packageAliases(), moduleCache: false, fsCache: false, transform },
    { onError, nativeImport: importPackage, createRequire },
  );
}

function importPackage(path: string): Promise<unknown> {
  const isOfProject = !path.includes(PACKAGES) && !path.startsWith(PROGRAM);
  if (isOfProject && /\.[cm]?js$/.test(path)) return Promise.reject(new Error('compiled by jiti'));
  return import(path);
}

function onError(error: Error): never {
  throw error;
}
