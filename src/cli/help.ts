import { environmentName, fileKey, flagName, type Setting } from '../config/setting.ts';
import { SETTINGS, type SettingName, settingNames } from '../config/settings.ts';
import { formatValue } from '../config/value.ts';
import { COMMANDS } from './command-names.ts';

const WIDTH = 96;
const LABEL_WIDTH = 30;

/** The text that `viaduct --help` prints. Flags come from the table of settings. */
export function helpText(): string {
  const groups = new Map<string, string>();
  for (const name of settingNames()) {
    const setting: Setting = SETTINGS[name];
    const text = entry(settingLabel(name), `${setting.help} Default: ${defaultText(setting)}.`);
    groups.set(setting.group, `${groups.get(setting.group) ?? ''}${text}`);
  }
  const commands = Object.entries(COMMANDS).map(([command, text]) => entry(command, text));
  const sections = [...groups].map(([group, text]) => `${group.charAt(0).toUpperCase()}${group.slice(1)}:\n${text}`);
  const example = 'keepAliveTimeoutMs';
  return `Viaduct serves Django, Flask and any WSGI application: web server and application server in one.

Usage:
  viaduct [serve] [PATH | MODULE:CALLABLE] [flags]
  viaduct check [PATH | MODULE:CALLABLE] [flags]

Examples:
  viaduct                             serves the project in the current directory
  viaduct --dev                       the same, for development
  viaduct shop.wsgi:application --listen 0.0.0.0:8000 --workers 4

Commands:
${commands.join('')}
${sections.join('\n')}
Each flag is also a variable (${environmentName(example)}) and a key of viaduct.toml or
of [tool.viaduct] in pyproject.toml (${fileKey(example)}). Flags win over variables, variables
over viaduct.toml, and viaduct.toml over pyproject.toml. Sizes take units (64KiB, 1GiB), and
so do times (500ms, 30s).
`;
}

/** `--listen ADDRESS`, `--[no-]preload`. */
export function settingLabel(name: SettingName): string {
  const setting: Setting = SETTINGS[name];
  const flag = flagName(name);
  if (name === 'target') return SETTINGS.target.shows;
  switch (setting.kind) {
    case 'boolean':
      return flag.replace('--', '--[no-]');
    case 'choice':
      return `${flag} ${setting.choices.join('|')}`;
    case 'path':
    case 'name':
    case 'command':
    case 'text':
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

/** The default value, as a person would write it. */
export function defaultText(setting: Setting): string {
  if (setting.defaultText !== undefined) return setting.defaultText;
  if (setting.kind === 'boolean') return setting.default ? 'yes' : 'no';
  return formatValue(setting, setting.default) || 'none';
}

/** A label and its text, wrapped. */
function entry(label: string, text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last.length + word.length + 1 > WIDTH - LABEL_WIDTH - 2) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  const indent = ' '.repeat(LABEL_WIDTH + 2);
  const head = label.length < LABEL_WIDTH ? `  ${label.padEnd(LABEL_WIDTH)}` : `  ${label}\n${indent}`;
  return `${head}${lines.join(`\n${indent}`)}\n`;
}
