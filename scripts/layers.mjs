/**
 * The layers of `src/`, as a table of what each may import. `node scripts/layers.mjs` writes Biome's rules from it, `biome.layers.json`, so that
 * the editor and `npm run lint` refuse every other import, of types too. With `--check` it only reports whether that file is current.
 *
 * The layers read as a sentence: cli, api -> server -> beside -> site -> {listen, handlers, proxy, workers} -> {placeholders, static, wsgi} ->
 * routing -> http -> {trace, cgi, errors}. config, log, metrics, os, project and import stand aside.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

/** From the bottom up. A name is a folder of `src/`, or a file there. */
const LAYERS = {
  'errors.ts': [],
  'version.ts': [],
  'program-files.ts': [],
  'nearest.ts': [],
  cgi: ['errors.ts'],
  trace: ['errors.ts'],
  http: ['trace', 'errors.ts'],
  routing: ['http', 'trace', 'errors.ts'],
  placeholders: ['routing', 'http', 'errors.ts', 'nearest.ts'],
  static: ['http', 'errors.ts'],
  wsgi: ['http', 'errors.ts'],
  listen: ['wsgi', 'http', 'cgi', 'errors.ts'],
  handlers: ['placeholders', 'routing', 'static', 'http', 'errors.ts'],
  proxy: ['placeholders', 'routing', 'wsgi', 'http', 'trace', 'cgi', 'errors.ts', 'version.ts'],
  workers: ['wsgi', 'http', 'trace', 'metrics', 'project', 'config', 'errors.ts', 'program-files.ts'],
  config: ['errors.ts', 'nearest.ts', 'program-files.ts'],
  log: ['placeholders', 'http', 'errors.ts', 'program-files.ts'],
  metrics: ['http', 'errors.ts'],
  os: ['errors.ts', 'program-files.ts'],
  project: ['errors.ts', 'program-files.ts'],
  import: ['placeholders', 'routing', 'config', 'log', 'errors.ts'],
  site: [
    ...['listen', 'handlers', 'proxy', 'workers', 'placeholders', 'routing', 'static', 'wsgi', 'http', 'trace'],
    ...['config', 'log', 'metrics', 'project', 'errors.ts', 'program-files.ts', 'version.ts'],
  ],
  beside: [...['site', 'workers', 'config', 'log', 'os', 'project', 'errors.ts', 'program-files.ts']],
  server: [
    ...['beside', 'site', 'listen', 'handlers', 'proxy', 'workers', 'static', 'wsgi', 'http', 'trace'],
    ...['log', 'metrics', 'os', 'project', 'errors.ts', 'program-files.ts', 'version.ts'],
  ],
  api: [
    ...['server', 'site', 'handlers', 'workers', 'placeholders', 'static', 'wsgi', 'http'],
    ...['config', 'log', 'project', 'errors.ts', 'version.ts'],
  ],
  cli: [
    ...['server', 'beside', 'site', 'handlers', 'proxy', 'workers', 'trace'],
    ...['config', 'import', 'log', 'metrics', 'os', 'project', 'errors.ts', 'nearest.ts', 'version.ts'],
  ],
};

/** What only some layers may use. The engine is our own; Node's is for those who meet other servers and frameworks. */
const PACKAGES = {
  'node:http': ['wsgi', 'proxy', 'cli'],
  'node:https': ['proxy', 'cli'],
  'node:http2': ['http'],
  // Handlers import zod's types only: test/site/features.test.ts checks that.
  zod: ['handlers', 'site'],
  jiti: ['config', 'site'],
  'smol-toml': ['config', 'import'],
  mrmime: ['static'],
  // Optional peers, loaded when metrics or traces are exported.
  '@opentelemetry/exporter-metrics-otlp-http': ['metrics'],
  '@opentelemetry/exporter-trace-otlp-http': ['trace'],
  '@opentelemetry/resources': ['metrics', 'trace'],
  '@opentelemetry/sdk-metrics': ['metrics'],
  '@opentelemetry/sdk-trace': ['trace'],
  croner: ['beside'],
};

/** Entry points of the package: lists of exports that nothing in `src/` imports. */
const ENTRIES = ['index.ts'];

const FILE = join(ROOT, 'biome.layers.json');
const SOURCES = join(ROOT, 'src');
/** How deep folders are below a layer: `src/http/http1` is one deep. */
const DEPTH_MAX = 2;

const overrides = Object.keys(LAYERS)
  .flatMap(overridesOf)
  .map((override) => JSON.stringify(override));
const rules = `{"overrides":[\n${overrides.join(',\n')}\n]}\n`;
const problems = unknownNames().map((name) => `src/${name} is in no layer: add it to the table in scripts/layers.mjs.`);
if (!process.argv.includes('--check')) writeFileSync(FILE, rules);
else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== rules)
  problems.push('biome.layers.json is older than scripts/layers.mjs: run "node scripts/layers.mjs".');
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

/** The rules of one layer, one for each depth, because imports are relative. */
function overridesOf(layer) {
  if (layer.endsWith('.ts')) return [rulesFor(`src/${layer}`, layer, './')];
  return Array.from({ length: DEPTH_MAX + 1 }, (_, depth) =>
    rulesFor(`src/${layer}/${'*/'.repeat(depth)}*.ts`, layer, '../'.repeat(depth + 1)),
  );
}

function rulesFor(includes, layer, up) {
  const allowed = LAYERS[layer];
  const message = `${layer} may import ${allowed.length === 0 ? 'nothing of src/' : allowed.join(', ')} (scripts/layers.mjs).`;
  const group = [`${up}**`, ...allowed.map((name) => `!${up}${name}${name.endsWith('.ts') ? '' : '/**'}`)];
  const patterns = [{ group, message }];
  if (layer === 'handlers') patterns.push(noOtherHandler());
  const options = { paths: restrictedPackages(layer), patterns };
  return { includes: [includes], linter: { rules: { style: { noRestrictedImports: { level: 'error', options } } } } };
}

function restrictedPackages(layer) {
  const restricted = Object.entries(PACKAGES).filter(([, layers]) => !layers.includes(layer));
  return Object.fromEntries(
    restricted.map(([name, layers]) => [
      name,
      { message: `${name} is for ${layers.join(', ')} only (scripts/layers.mjs).` },
    ]),
  );
}

/** What two handlers share belongs in a file of its own, so that a route loads and reads no more than it has. */
function noOtherHandler() {
  const folder = join(SOURCES, 'handlers');
  const files = readdirSync(folder, { recursive: true }).map(String).sort();
  const handlers = files.filter(
    (file) =>
      file.endsWith('.ts') && /^export function .*\): Handler \{$/m.test(readFileSync(join(folder, file), 'utf8')),
  );
  const names = handlers.map((file) => file.slice(file.lastIndexOf('/') + 1));
  return {
    group: names.flatMap((name) => [`./${name}`, `../*/${name}`]),
    message: 'A handler imports no other handler: what they share belongs in a file of its own.',
  };
}

function unknownNames() {
  return readdirSync(SOURCES).filter((name) => !(name in LAYERS) && !ENTRIES.includes(name));
}
