import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileKey, type Setting } from '../config/setting.ts';
import { SETTINGS, type SettingName } from '../config/settings.ts';
import { parseValue } from '../config/value.ts';
import type { ConfigBuilder, Value } from './config-builder.ts';
import type { ImportReport, Statement } from './import-report.ts';

/** Collects the settings of an application server. */
export interface WsgiContext {
  readonly builder: ConfigBuilder;
  readonly report: ImportReport;
  readonly pathOf: (written: string) => string;
  /** The directory for relative paths of the settings file. */
  readonly output: string;
}

/** Writes a setting. A value that is invalid or out of range is reported instead. */
export function setSetting(
  name: SettingName,
  value: Value,
  from: Statement,
  { builder, report, output }: WsgiContext,
): void {
  const setting: Setting = SETTINGS[name];
  const items = Array.isArray(value) ? (value as readonly Value[]) : [value];
  for (const item of items) {
    const parsed = parseValue(setting, item, output);
    if ('problem' in parsed) {
      report.lost(from, `${fileKey(name)} ${parsed.problem}`);
      return;
    }
  }
  report.took(from);
  builder.set(fileKey(name), value, from);
}

/** Writes a directory. A directory that does not exist on this machine is reported instead, because the file could not be read here. */
export function setDirectory(written: string, from: Statement, context: WsgiContext): void {
  const { builder, report, pathOf, output } = context;
  const path = pathOf(written);
  const isThere = statSync(resolve(output, path), { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere) {
    setSetting('chdir', path, from, context);
    return;
  }
  report.lost(from, `the directory does not exist here; where it exists, write chdir = ${JSON.stringify(path)}`);
  builder.remarks.push(`chdir = ${JSON.stringify(path)}`);
}

/** Writes a certificate and its key. */
export function setCertificate(
  key: 'certificate' | 'key' | 'client_ca',
  path: string,
  from: Statement,
  { builder, report, pathOf }: WsgiContext,
): void {
  builder.table('tls').set(key, pathOf(path), from);
  report.took(from);
}

/** With a certificate, all addresses use HTTPS. */
export function secureAddresses(builder: ConfigBuilder): void {
  const listen = builder.values.get('listen');
  const certificate = builder.tables.get('tls')?.values.get('certificate');
  if (listen === undefined || certificate === undefined) return;
  const addresses = (listen.value as readonly string[]).map((one) => `https://${one}`);
  builder.set('listen', addresses, ...listen.from, ...certificate.from);
}

/** Whether a path can be the prefix of an application. */
export function isMount(path: string): boolean {
  return /^(?:\/[^/*?#%\s]+)+$/.test(path) && !/\/\.\.?(?:\/|$)/.test(path);
}

/** Writes a route that serves the main application below a prefix. */
export function writeMainMount(mount: string, from: Statement, builder: ConfigBuilder): void {
  const route = builder.append('route');
  route.set('mount', mount, from);
  route.set('app', 'main', from);
}
