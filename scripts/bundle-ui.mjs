/**
 * Bundles `ui` to `dist/ui`: the pages (`app.js`, `app.css`, `index.html`) and the bar of the development (`bar.js`). Each script is one classic
 * script without imports, so that an exported trace can have it within one file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './steps.mjs';

const UI = join(ROOT, 'ui');

/** The parts of the style sheet, in this order: a later rule wins. */
const STYLES = ['tokens', 'base', 'frame', 'parts', 'lists', 'anatomy', 'exception', 'waterfall', 'dashboard'];

/** Packages whose code gets into the pages, and with it their licences. */
export const UI_PACKAGES = ['preact', 'uplot'];

/**
 * @param {boolean} sourcemap
 * @returns {Promise<Map<string, string>>} the texts of the files, by their names below `dist`
 */
export async function bundleUi(sourcemap) {
  const files = new Map([
    ['ui/index.html', readFileSync(join(UI, 'index.html'), 'utf8')],
    ['ui/app.css', styleSheet()],
  ]);
  for (const [name, entry] of [
    ['app', 'main.tsx'],
    ['bar', 'bar/bar.ts'],
  ])
    for (const [fileName, text] of await script(name, join(UI, entry), sourcemap)) files.set(`ui/${fileName}`, text);
  return files;
}

async function script(name, input, sourcemap) {
  const build = await rolldown({
    input: { [name]: input },
    cwd: ROOT,
    platform: 'browser',
    transform: { target: 'es2022' },
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({
    format: 'iife',
    entryFileNames: '[name].js',
    minify: true,
    comments: false,
    sourcemap,
  });
  await build.close();
  for (const { moduleIds = [] } of output) moduleIds.forEach(mustHaveLicence);
  return output.map(({ fileName, code, source }) => [fileName, code ?? source]);
}

function mustHaveLicence(id) {
  const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
  if (name !== undefined && !UI_PACKAGES.includes(name))
    throw new Error(`Cannot bundle the pages: the licence of ${name} is missing`);
}

function styleSheet() {
  const ours = STYLES.map((name) => readFileSync(join(UI, 'styles', `${name}.css`), 'utf8'));
  return [readFileSync(join(ROOT, 'node_modules/uplot/dist/uPlot.min.css'), 'utf8'), ...ours].join('\n');
}
