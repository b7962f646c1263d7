/**
 * `npm run docs`: writes docs/settings.md from the table of settings, and docs/viaduct.schema.json from it and the schema of routes. With
 * `--check` it only tells whether the files are current.
 * Needs a build.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultText, settingLabel } from '../dist/cli/help.js';
import { environmentName, fileKey } from '../dist/config/setting.js';
import { SETTINGS, settingNames } from '../dist/config/settings.js';
import { takes } from '../dist/config/value.js';
import { jsonSchema } from '../dist/site/schema/json-schema.js';
import { ROOT } from './steps.mjs';

const INTRODUCTION = `<!-- Written by scripts/docs.mjs from src/config: do not edit. -->
# Settings

None is needed: \`viaduct\` finds the application, its virtual environment and its static files. Whatever is to be different can be
written in any of these places; the upper one wins:

1. flags: \`viaduct --workers 4\`
2. variables: \`VIADUCT_WORKERS=4\`; an empty one counts as none
3. \`viaduct.toml\` or [\`viaduct.config.ts\`](routes.md#in-typescript), or the file that \`--config\` or \`VIADUCT_CONFIG\` names: \`workers = 4\`
4. \`pyproject.toml\`: the same keys below \`[tool.viaduct]\`

Both files are looked for in the directory of the project that is named, then in \`chdir\`, which is the current directory unless it
is set. \`viaduct check\` prints every setting that is not the default, and the place that it comes from.

- **Paths** that are relative start at \`chdir\` in flags and variables, and at the file's own directory in files.
- **Sizes** are bytes, or have a unit: \`65536\`, \`64KiB\`, \`1.5GiB\` (1024) or \`64kB\`, \`1MB\` (1000); \`k\`, \`m\` and \`g\` alone mean 1024, as in nginx.
- **Times** are milliseconds, or have a unit: \`500ms\`, \`30s\`, \`2min\`, \`1h\`. In files, what has a unit stands in quotes.
- **Lists** (\`listen\`, \`static\`, [\`middleware\`](middleware.md)): the flag is given several times, the items of a variable stand between commas, a file has an array.
  A list replaces the whole list of a lower place.
- **Yes or no**: \`--dev\` and \`--no-dev\`; elsewhere \`true\` or \`false\`, in variables also \`1\`, \`0\`, \`yes\`, \`no\`, \`on\`, \`off\`.

Beside settings these files hold [routes](routes.md) and what belongs to them. Editors check and complete \`viaduct.toml\` with [viaduct.schema.json](viaduct.schema.json).

A name that does not exist, or a value that makes no sense, is an error with the place where it stands; all of them are told at once
and the exit code is 2.

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
  ['docs/viaduct.schema.json', `${JSON.stringify(jsonSchema(), null, 1)}\n`],
]);
for (const [name, page] of PAGES) {
  const file = join(ROOT, name);
  if (!process.argv.includes('--check')) writeFileSync(file, page);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
    console.log(`${name} is not current: run npm run docs`);
    process.exitCode = 1;
  }
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
