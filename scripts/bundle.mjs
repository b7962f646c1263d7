/**
 * Bundles `src` to `dist`, after the compiler has checked its types and written those of the package: the program, the entries of the package and
 * the program of a server process share all their code, so that each class exists once. With `--sourceMap`, for the debugger, source maps too.
 *
 * A start reads three files instead of some hundred: `main.js` for every command, `prepare.js`, which finds the project, and `server.js`, which is
 * loaded while Python starts. What a start does not need, such as the schema of routes, is in further files. The pages are bundled for themselves,
 * by `bundle-ui.mjs`.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { bundleUi, UI_PACKAGES } from './bundle-ui.mjs';
import { ROOT } from './steps.mjs';

const DIST = join(ROOT, 'dist');
const SRC = join(ROOT, 'src');

/** What other programs start or import by its path. The entries of the package are in `package.json`. */
const PROGRAMS = ['cli/main', 'server/cluster/process-main'];

/** A file of the bundle has these modules and all that they import, unless a file above has it. */
const FILES = [
  ['main', /\/src\/(?:cli\/main|program-files)\.ts$|rolldown\/runtime/],
  ['prepare', /\/src\/cli\/commands\/serve\.ts$/],
  ['server', /\/src\/cli\/run-server\.ts$/],
];

/** Packages whose code gets into the bundle, and with it their licences. */
const BUNDLED = ['croner', 'mrmime', 'smol-toml', 'zod'];

await bundle(process.argv.includes('--sourceMap'));

async function bundle(sourcemap) {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const entries = Object.values(exports).flatMap(({ default: path }) => path?.match(/^\.\/dist\/(.+)\.js$/)?.[1] ?? []);
  const build = await rolldown({
    input: Object.fromEntries([...PROGRAMS, ...entries].map((name) => [name, join(SRC, `${name}.ts`)])),
    cwd: ROOT,
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    external: [/^node:/, /^@opentelemetry\//, 'jiti'],
    transform: { target: 'es2023' },
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({
    dir: DIST,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: FILES.map(([name, test], index) => ({ name, test, priority: FILES.length - index })) },
    minifyInternalExports: false,
    comments: false,
    keepNames: true,
    sourcemap,
  });
  await build.close();
  const chunks = output.filter(({ type }) => type === 'chunk');
  verify(chunks);
  const maps = output.filter(({ type }) => type === 'asset').map(({ fileName, source }) => [fileName, source]);
  const files = new Map([...rewritten(chunks), ...maps, ...(await bundleUi(sourcemap))]);
  for (const [name, text] of files) write(join(DIST, name), text);
  write(join(DIST, 'licenses.txt'), licenses());
  utimesSync(join(DIST, 'main.js'), new Date(), new Date());
  removeOthers(files);
}

/** A program that runs may read the file at any time: it finds the old one or the new one. */
function write(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** `bin/viaduct.js` starts `main.js`. The program finds its files by the place of one module, and shares its classes only if each module is in one file. */
function verify(chunks) {
  if (!chunks.some(({ fileName, exports }) => fileName === 'main.js' && exports.includes('main')))
    throw new Error('Cannot bundle: main.js does not export main');
  const places = new Map();
  for (const { fileName, moduleIds } of chunks) {
    for (const id of moduleIds) {
      if (places.has(id)) throw new Error(`Cannot bundle: ${id} is in ${places.get(id)} and in ${fileName}`);
      places.set(id, fileName);
    }
  }
  const file = places.get(join(SRC, 'program-files.ts'));
  if (file?.includes('/') !== false)
    throw new Error(`Cannot bundle: program-files.ts is in ${file}, not beside index.js`);
  for (const id of places.keys()) {
    const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
    if (name !== undefined && !BUNDLED.includes(name))
      throw new Error(`Cannot bundle: the licence of ${name} is missing`);
  }
}

/**
 * What Node reads faster. V8 keeps the text of a file with any other character in twice the memory, so escapes take their place. And
 * `import()` leads past files that only export what another file has: the bundler makes one for each module that is imported so and shares its
 * file with others, and each costs a start a millisecond. Returns the texts of the files that are left, by name.
 */
function rewritten(chunks) {
  const detours = new Map();
  for (const { fileName, code, isDynamicEntry } of chunks) {
    const [, names, target] = /^export \{ ([\w, ]+) \} from "\.\/([\w-]+\.js)";\n$/.exec(code) ?? [];
    if (isDynamicEntry && names !== undefined && !/ as /.test(names)) detours.set(fileName, target);
  }
  const kept = chunks.filter(({ fileName }) => !detours.has(fileName));
  return kept.map(({ fileName, code }) => {
    const direct = code.replaceAll(/\bimport\("((?:\.\.?\/)+)([\w-]+\.js)"\)/g, (whole, up, name) =>
      detours.has(name) ? `import("${up}${detours.get(name)}")` : whole,
    );
    const escaped = direct.replaceAll(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    return [fileName, escaped];
  });
}

/** Removes the code of earlier builds. */
function removeOthers(names) {
  for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (/\.js(?:\.map)?$/.test(entry.name) && !names.has(relative(DIST, path))) rmSync(path);
  }
}

function licenses() {
  const texts = [...BUNDLED, ...UI_PACKAGES].sort().map((name) => {
    const directory = join(ROOT, 'node_modules', name);
    const file = ['LICENSE', 'license'].map((candidate) => join(directory, candidate)).find(existsSync);
    return `${name}\n\n${readFileSync(file, 'utf8').trim()}\n`;
  });
  return `The program has code of these packages.\n\n${texts.join('\n\n')}`;
}
