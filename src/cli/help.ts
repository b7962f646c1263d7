import { environmentName, flagName, SETTINGS, type Setting, settingNames } from '../config/settings.ts';

const FLAG_WIDTH = 31;
const WIDTH = 100;

/** What `viaduct --help` prints, from the table of settings. */
export function helpText(): string {
  const groups = new Map<string, string[]>();
  for (const name of settingNames()) {
    const setting: Setting = SETTINGS[name];
    const lines = groups.get(setting.group) ?? [];
    groups.set(setting.group, [...lines, entry(flagLabel(name), `${setting.help} Default: ${defaultText(setting)}.`)]);
  }
  const sections = [...groups].map(
    ([group, entries]) => `${group[0]?.toUpperCase()}${group.slice(1)}:\n${entries.join('')}`,
  );
  return `Viaduct serves Django, Flask and any WSGI application: web server and application server in one.

Usage:
  viaduct [serve] [PATH | MODULE:CALLABLE] [flags]   find the application and serve it
  viaduct check [PATH | MODULE:CALLABLE] [flags]     tell what would be served, and import it
  viaduct --version | --help

${sections.join('\n')}
Settings files:
${entry('--config FILE', 'Settings file. Default: viaduct.toml, or [tool.viaduct] in pyproject.toml, of the project.')}
Each flag is also a variable (${environmentName('keepAliveTimeoutMs')}) and a key (keep_alive_timeout_ms).
Sizes take units (64KiB, 1GiB), times too (500ms, 30s).
`;
}

/** `--listen ADDRESS`, `--no-preload`. */
export function flagLabel(name: ReturnType<typeof settingNames>[number]): string {
  const setting: Setting = SETTINGS[name];
  const flag = flagName(name);
  switch (setting.kind) {
    case 'boolean':
      return name === 'preload' ? '--no-preload' : flag;
    case 'choice':
      return `${flag} ${setting.choices.join('|')}`;
    case 'path':
    case 'list':
      return `${flag} ${setting.shows}`;
    case 'integer':
      return `${flag} N`;
    case 'bytes':
      return `${flag} SIZE`;
    case 'duration':
      return `${flag} TIME`;
  }
}

/** The default as a person would write it. */
export function defaultText(setting: Setting): string {
  if (setting.defaultText !== undefined) return setting.defaultText;
  if (setting.kind === 'boolean') return setting.default ? 'yes' : 'no';
  if (setting.kind === 'list') return setting.default.length === 0 ? 'none' : setting.default.join(', ');
  if (setting.kind === 'bytes') return size(setting.default);
  if (setting.kind === 'duration')
    return setting.default % 1000 === 0 ? `${setting.default / 1000}s` : `${setting.default}ms`;
  return String(setting.default);
}

function size(bytes: number): string {
  for (const [unit, factor] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

/** A flag and its text, wrapped. */
function entry(flag: string, text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last.length + word.length + 1 > WIDTH - FLAG_WIDTH - 2) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  const indent = ' '.repeat(FLAG_WIDTH + 2);
  const head = flag.length < FLAG_WIDTH ? `  ${flag.padEnd(FLAG_WIDTH)}` : `  ${flag}\n${indent}`;
  return `${head}${lines.join(`\n${indent}`)}\n`;
}
