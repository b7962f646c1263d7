/** The page docs/configuration.md: every key of viaduct.toml, from the table of settings and the schema of the site. Needs a build. */

import { defaultText } from '../.build/src/cli/help.js';
import { fileKey } from '../.build/src/config/setting.js';
import { SETTINGS, settingNames } from '../.build/src/config/settings.js';
import { takes } from '../.build/src/config/value.js';
import { FEATURES } from '../.build/src/site/features.js';
import { siteReference } from '../.build/src/site/schema/reference.js';

const INTRODUCTION = `<!-- Written by scripts/docs.mjs from src/config and src/site: do not edit. -->
# Configuration reference

This page lists every key of \`viaduct.toml\`. Editors check and complete the file with
[viaduct.schema.json](viaduct.schema.json).

- **Sizes** are bytes, or text with a unit: \`65536\`, \`"64KiB"\`, \`"1.5GiB"\` (1024) or \`"64kB"\`, \`"1MB"\` (1000).
- **Times** are milliseconds, or text with a unit: \`500\`, \`"500ms"\`, \`"30s"\`, \`"2min"\`, \`"1h"\`. Keys that end in \`_s\` take
  seconds.
- **Lists.** If a key takes a value or a list, \`"a"\` means the same as \`["a"]\`.
- **Relative paths** start at the directory of the file.
- **"required"** in the column of defaults: a table of this kind must have the key.
`;

/** What is said about a group before its tables. */
const NOTES = {
  'Top level': 'These keys can also be at the top of the file, before the first table, or are tables themselves.',
  Handlers: `A handler checks or changes requests and responses. Its key is in a route, or at the top of the file for every request.
\`true\` means the handler with its defaults, and \`false\` in a route switches the handler off. [Handlers](handlers.md) has
examples, and the order in which requests pass the handlers.`,
};

/** Pages for keys that have no section of their own. */
const PAGES = {
  trusted_proxies: 'proxies.md',
  trusted_proxy_values: 'proxies.md',
  trusted_proxy_fields: 'proxies.md',
  sendfile: 'routes.md#x-accel-redirect-and-x-sendfile',
  'apps.middleware': 'middleware.md',
};

/** Returns the page as Markdown. */
export function configurationPage() {
  const groups = siteReference();
  const anchors = new Map(groups.flatMap(({ sections }) => sections.map(({ path, title }) => [path, slug(title)])));
  anchors.set('route', 'routes');
  return `${INTRODUCTION}\n${[settings(), ...groups.map((group) => groupText(group, anchors))].join('\n')}`;
}

function settings() {
  const rows = settingNames()
    .filter((name) => name !== 'config')
    .map((name) => {
      const key = fileKey(name);
      const setting = SETTINGS[name];
      return [
        `[\`${key}\`](settings.md#${key})`,
        takenBy(takes(setting)),
        plain(defaultOf(setting)),
        plain(setting.help),
      ];
    });
  return `## Settings

Settings are at the top of the file, before the first table. Each setting is also a flag and a variable. The page
[Settings](settings.md) has these names, and the reason for each default.

${table(rows)}`;
}

function defaultOf(setting) {
  return setting.kind === 'boolean' && setting.defaultText === undefined ? `${setting.default}` : defaultText(setting);
}

function groupText({ title, sections }, anchors) {
  const note = NOTES[title] === undefined ? [] : [`${NOTES[title]}\n`];
  return [`## ${title}\n`, ...note, ...sections.map((section) => sectionText(section, anchors))].join('\n');
}

function sectionText({ title, path, page, table: own, keys }, anchors) {
  const rows = keys.map((key) => {
    const target = anchors.has(key.path) ? `#${anchors.get(key.path)}` : PAGES[key.path];
    const more = target === undefined ? '' : ` [More](${target})`;
    return [`\`${key.name}\``, takenBy(key.takes), defaultCell(key.default), `${plain(key.description)}${more}`];
  });
  const about = own === null ? [] : [`${wrap([...sentencesOf(own, path, rows.length > 0), `See ${link(page)}.`])}\n`];
  return [...(title === '' ? [] : [`### ${title}\n`]), ...about, ...(rows.length === 0 ? [] : [table(rows)])].join(
    '\n',
  );
}

/** What is said about a table before its keys. */
function sentencesOf({ description, takes: taken }, path, hasKeys) {
  const isOnlyOfRoutes = FEATURES.some(({ key, scope }) => `route.${key}` === path && scope === 'route');
  return [
    ...(path === 'route' ? [] : [plain(description)]),
    ...(hasKeys ? [] : [`It takes ${takenBy(taken)}.`]),
    ...(isOnlyOfRoutes ? ['It is for routes only.'] : []),
  ];
}

function defaultCell(value) {
  if (value === null) return 'required';
  if ('words' in value) return plain(value.words);
  return value.toml === '{}' || value.toml === '[]' ? 'none' : `\`${value.toml}\``;
}

/** What a key takes, without the examples of units, which the introduction has. */
function takenBy(words) {
  return plain(words.replace(/, such as (?:65536 or 64KiB|500ms or 30s)/, ''));
}

function link(page) {
  return `[${page.split('#')[0]}](${page})`;
}

function table(rows) {
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |\n`);
  return `| key | takes | default | meaning |\n|---|---|---|---|\n${lines.join('')}`;
}

/** Text that Markdown does not change, with names of keys and variables as code. */
function plain(text) {
  return text.replace(/[|*<>[\]]/g, '\\$&').replace(/\b[A-Za-z]+(?:_[A-Za-z]+)+\b/g, '`$&`');
}

/** Lines of at most 120 characters. */
function wrap(sentences) {
  return sentences.join(' ').replace(/(?=.{121})(.{1,120}) /g, '$1\n');
}

/** The anchor of a heading. */
function slug(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
