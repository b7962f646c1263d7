import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileKey, type Setting } from '../config/setting.ts';
import { SETTINGS, type SettingName } from '../config/settings.ts';
import { parseValue } from '../config/value.ts';
import type { Draft, Value } from './config-builder.ts';
import type { Ledger, Statement } from './import-report.ts';

/** Where the settings of an application server are collected. */
export interface WsgiContext {
  readonly draft: Draft;
  readonly ledger: Ledger;
  readonly pathOf: (written: string) => string;
  /** Where relative paths of the settings file start. */
  readonly output: string;
}

/** Writes a setting; what is out of its range, or no value of it, is told instead. */
export function setSetting(
  name: SettingName,
  value: Value,
  from: Statement,
  { draft, ledger, output }: WsgiContext,
): void {
  const setting: Setting = SETTINGS[name];
  const items = Array.isArray(value) ? (value as readonly Value[]) : [value];
  for (const item of items) {
    const parsed = parseValue(setting, item, output);
    if ('wrong' in parsed) {
      ledger.lost(from, `${fileKey(name)} ${parsed.wrong}`);
      return;
    }
  }
  ledger.took(from);
  draft.set(fileKey(name), value, from);
}

/** A directory that is not on this machine cannot be in a settings file that is read here. */
export function setDirectory(written: string, from: Statement, context: WsgiContext): void {
  const { draft, ledger, pathOf, output } = context;
  const path = pathOf(written);
  const isThere = statSync(resolve(output, path), { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere) {
    setSetting('chdir', path, from, context);
    return;
  }
  ledger.lost(from, `there is no such directory here; where there is, write chdir = ${JSON.stringify(path)}`);
  draft.remarks.push(`chdir = ${JSON.stringify(path)}`);
}

/** Writes a certificate and its key. */
export function setCertificate(
  key: 'certificate' | 'key' | 'client_ca',
  path: string,
  from: Statement,
  { draft, ledger, pathOf }: WsgiContext,
): void {
  draft.table('tls').set(key, pathOf(path), from);
  ledger.took(from);
}
