/**
 * `npm run docs`: writes docs/settings.md from the table of settings, docs/configuration.md from this table and the schema of the site, and
 * docs/viaduct.schema.json and the types in src/api/config from both. With `--check` it only reports whether the files are current. Needs a build.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultText, settingLabel } from '../.build/src/cli/help.js';
import { environmentName, fileKey } from '../.build/src/config/setting.js';
import { SETTINGS, settingNames } from '../.build/src/config/settings.js';
import { takes } from '../.build/src/config/value.js';
import { jsonSchema } from '../.build/src/site/schema/json-schema.js';
import { configTypes } from './config-types.mjs';
import { configurationPage } from './docs-configuration.mjs';
import { ROOT, tool } from './steps.mjs';

const INTRODUCTION = `<!-- Written by scripts/docs.mjs from src/config: do not edit. -->
# Settings

You need no settings to start: \`viaduct\` finds the application, its virtual environment and its static files. You can
change a setting in any of these places. A higher place in the list wins:

1. flags: \`viaduct --workers 4\`
2. environment variables: \`VIADUCT_WORKERS=4\`. An empty variable counts as not set
3. \`viaduct.toml\` or [\`viaduct.config.ts\`](routes.md#in-typescript), or the file of \`--config\` or \`VIADUCT_CONFIG\`:
   \`workers = 4\`
4. \`pyproject.toml\`: the same keys in \`[tool.viaduct]\`

Viaduct looks for both files in the directory of the target, if the target is a path, and then in \`chdir\` (by default
the current directory). \`viaduct check\` prints every setting that was changed, and its source.

- **Relative paths** start at \`chdir\` in flags and variables. In files they start at the directory of the file.
- **Sizes** are bytes, or have a unit: \`65536\`, \`64KiB\`, \`1.5GiB\` (1024) or \`64kB\`, \`1MB\` (1000). \`k\`, \`m\` and \`g\`
  alone mean 1024, as in nginx.
- **Times** are milliseconds, or have a unit: \`500ms\`, \`30s\`, \`2min\`, \`1h\`. In files, a value with a unit
  needs quotes, and a value in quotes needs a unit.
- **Lists** (\`listen\`, \`static\`, \`proxy\`, [\`middleware\`](middleware.md)): the flag is repeatable, a variable has commas
  between the items, and a file has an array. A list replaces the whole list of a lower place.
- **Yes or no**: write \`--dev\` or \`--no-dev\`. Elsewhere write \`true\` or \`false\`, in variables also \`1\`, \`0\`, \`yes\`,
  \`no\`, \`on\` or \`off\`.

The files can also hold [routes](routes.md), handlers and certificates. The
[configuration reference](configuration.md) lists every key. Editors check and complete \`viaduct.toml\` with
[viaduct.schema.json](viaduct.schema.json).

An unknown name or an invalid value is an error. Viaduct reports all errors at once, each with its file and line or its
flag, and exits with code 2.

\`\`\`toml
# viaduct.toml
target = "shop.wsgi:application"
listen = ["0.0.0.0:8000", "unix:run/viaduct.sock"]
workers = 4
body_bytes_max = "20MiB"

[static]
"/static/" = "static-collected"
"/media/" = "media"
\`\`\`
`;

const PAGES = new Map([
  ['docs/settings.md', settingsPage()],
  ['docs/configuration.md', configurationPage()],
  ['docs/viaduct.schema.json', `${JSON.stringify(jsonSchema(), null, 1)}\n`],
  ...[...configTypes()].map(([name, source]) => [`src/api/config/${name}`, formatted(source)]),
]);
for (const [name, page] of PAGES) {
  const file = join(ROOT, name);
  if (!process.argv.includes('--check')) writeFileSync(file, page);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.log(`${name} is not current: run npm run docs`);
    process.exitCode = 1;
  }
}

function formatted(source) {
  const args = [tool('@biomejs/biome'), 'format', '--stdin-file-path=src/types.ts'];
  return spawnSync(process.execPath, args, { cwd: ROOT, input: source, encoding: 'utf8' }).stdout;
}

function settingsPage() {
  const groups = new Map();
  for (const name of settingNames()) {
    const { group } = SETTINGS[name];
    groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  const sections = [...groups].map(([group, names]) => `## ${capital(group)}\n\n${names.map(section).join('\n')}`);
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

function section(name) {
  const setting = SETTINGS[name];
  const ways = [
    name === 'target' ? `as \`${settingLabel(name)}\`` : `\`${settingLabel(name)}\``,
    `\`${environmentName(name)}\``,
    ...(name === 'config' ? [] : [`\`${fileKey(name)}\``]),
  ];
  const others = setting.alsoCalled?.split(' ').filter((other) => other.length > 1) ?? [];
  const elsewhere =
    others.length === 0 ? '' : `- In other servers: ${others.map((other) => `\`${other}\``).join(', ')}\n`;
  return `### ${fileKey(name)}

${setting.help}

- Write: ${ways.join(' · ')}
- Takes: ${takes(setting)}
- Default: ${defaultText(setting)}. ${setting.reason}
${elsewhere}`;
}

function capital(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
