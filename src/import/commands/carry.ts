import type { SettingName } from '../../config/settings.ts';
import type { Value } from '../config-builder.ts';
import type { Statement } from '../import-report.ts';
import {
  isMount,
  setCertificate,
  setDirectory,
  setSetting,
  type WsgiContext,
  writeMainMount,
} from '../wsgi-config-builder.ts';

/** Carries over an option. The value of a switch is `true`; two values have a space between them. */
export type Carry = (value: string, from: Statement, context: WsgiContext) => void;

/** The command line of a server: what its options become, and what it does without them. */
export interface CommandForm {
  readonly short: Readonly<Record<string, string>>;
  /** Options without a value. */
  readonly switches: ReadonlySet<string>;
  /** Options with two values. */
  readonly pairs?: ReadonlySet<string>;
  readonly options: Readonly<Record<string, Carry>>;
  readonly port: string;
  readonly host: string;
  readonly threads: number;
  /** The longest content of a request, in bytes. */
  readonly bodyBytesMax?: number;
}

export const number = (name: SettingName): Carry => set(name, (text) => (/^\d+$/.test(text) ? Number(text) : text));
export const text = (name: SettingName): Carry => set(name, String);
export const seconds = (name: SettingName): Carry => set(name, (value) => (/^\d+$/.test(value) ? `${value}s` : value));
export const needless: Carry = (_, from, { report }) => report.needless(from, 'no setting is needed');
export const took: Carry = (_, from, { report }) => report.took(from);
export const directory: Carry = (value, from, context) => setDirectory(value, from, context);
export const certificate =
  (key: 'certificate' | 'key' | 'client_ca'): Carry =>
  (path, from, context) =>
    setCertificate(key, path, from, context);

export function set(name: SettingName, form: (text: string) => Value): Carry {
  return (value, from, context) => setSetting(name, form(value), from, context);
}

export function lost(reason: string): Carry {
  return (_, from, { report }) => report.lost(from, reason);
}

/** The same for all options of a text. */
export function each(names: string, carry: Carry): Record<string, Carry> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, carry]));
}

export const DEVELOPMENT = lost(
  'it is for development: start Viaduct with --dev there. It shows tracebacks, so never where others reach it',
);
export const METRICS = lost('set admin for the metrics');

export const noAccessLog: Carry = (_, from, context) => setSetting('accessLog', 'off', from, context);

/** These servers also give SCRIPT_NAME to requests outside of the prefix, from which a front-end proxy has cut it off. */
export const prefixed: Carry = (value, from, { builder, report }) => {
  const mount = `/${value.replace(/^\/+|\/+$/g, '')}`;
  if (!isMount(mount)) {
    report.lost(from, 'it is not a path that routes can have');
    return;
  }
  writeMainMount(mount, from, builder);
  report.differs(from, 'the front-end proxy must leave the prefix in the path: requests without it get no SCRIPT_NAME');
};

export const fixedScheme: Carry = (value, from, { report }) => {
  if (value === 'http') report.needless(from, 'this is the default');
  else
    report.danger(
      from,
      'all requests would get the scheme http: let the front-end proxy send X-Forwarded-Proto, and name it in trusted_proxies',
    );
};

export const interfaceOf: Carry = (value, from, { report }) =>
  value === 'wsgi' ? report.needless(from, 'Viaduct serves WSGI') : report.lost(from, 'Viaduct serves WSGI only');

export const clientVerification: Carry = (_, from, { builder, report }) => {
  builder.table('tls').set('client_certificates', 'required', from);
  report.took(from);
};
