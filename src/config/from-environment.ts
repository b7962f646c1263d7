import { environmentName } from './setting.ts';
import { formatRawValue, type SettingInput, spellings, unknownNameMessage } from './setting-input.ts';
import { SETTINGS, settingNames } from './settings.ts';

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

/** Kubernetes sets such variables in every container if a service is named viaduct: `VIADUCT_PORT=tcp://10.0.0.1:80` and others. */
function isKubernetes(variable: string, text: string): boolean {
  if (variable === 'VIADUCT_PORT') return text.includes('://');
  return /^VIADUCT_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_\w+)$/.test(variable);
}
