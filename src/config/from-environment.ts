import { environmentName } from './setting.ts';
import { formatRawValue, type SettingInput, spellings, unknownNameMessage } from './setting-input.ts';
import { SETTINGS, type SettingName, settingNames } from './settings.ts';

/** Reads `VIADUCT_*`. An empty variable counts as not set. Commas separate the items of a list. Adds a line to `errors` for an unknown name. */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  errors: string[],
): SettingInput[] {
  const names = settingNames();
  const inputs: SettingInput[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('VIADUCT_') || text === undefined || text === '' || isKubernetes(variable, text)) continue;
    const name = names.find((candidate) => environmentName(candidate) === variable);
    if (name === undefined) {
      const word = variable.slice('VIADUCT_'.length);
      errors.push(
        unknownNameMessage('setting', `variable ${formatRawValue(variable)}`, word, spellings(environmentName)),
      );
      continue;
    }
    const texts = SETTINGS[name].kind === 'list' ? text.split(',').map((item) => item.trim()) : [text];
    inputs.push({
      name,
      origin: variable,
      values: texts.map((raw) => ({ raw, shown: `${variable}=${formatRawValue(raw)}` })),
    });
  }
  return inputs;
}

/**
 * Reads the variables that platforms and other servers use: `PORT`, `WEB_CONCURRENCY` and `FORWARDED_ALLOW_IPS`. As for gunicorn, a
 * port is open to the network; in development only to this machine. Every other source wins over them.
 */
export function fromPlatform(
  { PORT = '', WEB_CONCURRENCY = '', FORWARDED_ALLOW_IPS = '' }: Readonly<Record<string, string | undefined>>,
  isDev: boolean,
): SettingInput[] {
  const input = (name: SettingName, variable: string, text: string, values: readonly string[]): SettingInput[] => {
    const shown = `${variable}=${formatRawValue(text)}`;
    return text === '' ? [] : [{ name, origin: variable, values: values.map((raw) => ({ raw, shown })) }];
  };
  const ranges = FORWARDED_ALLOW_IPS.split(',').map((range) => range.trim());
  return [
    ...input('listen', 'PORT', PORT, [`${isDev ? '127.0.0.1' : '0.0.0.0'}:${PORT}`]),
    ...input('workers', 'WEB_CONCURRENCY', WEB_CONCURRENCY, [WEB_CONCURRENCY]),
    ...input(
      'trustedProxies',
      'FORWARDED_ALLOW_IPS',
      FORWARDED_ALLOW_IPS,
      ranges.map((range) => (range === '*' ? 'all' : range)),
    ),
  ];
}

/** Kubernetes sets such variables in every container if a service is named viaduct: `VIADUCT_PORT=tcp://10.0.0.1:80` and others. */
function isKubernetes(variable: string, text: string): boolean {
  if (variable === 'VIADUCT_PORT') return text.includes('://');
  return /^VIADUCT_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_\w+)$/.test(variable);
}
