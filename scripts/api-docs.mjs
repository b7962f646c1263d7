/**
 * `npm run docs:api`: builds the reference of everything that the package exports into `.build/api`, or into the directory of its argument, from the comments
 * in the declarations. Fails for an exported name without a comment. Needs a build of the project.
 *
 * TypeDoc needs a TypeScript with a JavaScript API, which the project's own compiler does not have. So both are packages of `scripts/api-docs`.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepareApiDocs } from './setup.mjs';
import { ROOT, run } from './steps.mjs';

const DIRECTORY = join(ROOT, 'scripts/api-docs');
const OUTPUT = resolve(process.argv[2] ?? join(ROOT, '.build/api'));

if (!prepareApiDocs()) process.exit(1);
const { version, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const declarations = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [join(ROOT, types)]));
const typedoc = join(DIRECTORY, 'node_modules/typedoc/bin/typedoc');
const args = ['--options', DIRECTORY, '--out', OUTPUT, '--name', `Viaduct ${version}`, '--logLevel', 'Warn'];
if (run(process.execPath, [typedoc, ...args, ...declarations])) console.log(`${pathToFileURL(OUTPUT)}/index.html`);
else process.exitCode = 1;
