import { environmentName } from './setting.ts';
import { type Given, noSuch, show, spelled } from './setting-input.ts';
import { SETTINGS, settingNames } from './settings.ts';

/** Reads `VIADUCT_*`. An empty variable counts as none; the items of a list stand between commas. */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  mistakes: string[],
): Given[] {
  const names = settingNames();
  const given: Given[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('VIADUCT_') || text === undefined || text === '' || isKubernetes(variable, text)) continue;
    const name = names.find((candidate) => environmentName(candidate) === variable);
    if (name === undefined) {
      const word = variable.slice('VIADUCT_'.length);
      mistakes.push(noSuch('setting', `variable ${show(variable)}`, word, spelled(environmentName)));
      continue;
    }
    const texts = SETTINGS[name].kind === 'list' ? text.split(',').map((item) => item.trim()) : [text];
    given.push({ name, origin: variable, values: texts.map((raw) => ({ raw, shown: `${variable}=${show(raw)}` })) });
  }
  return given;
}

/** What Kubernetes sets in every container for a service that is named viaduct: `VIADUCT_PORT=tcp://10.0.0.1:80` and others. */
function isKubernetes(variable: string, text: string): boolean {
  if (variable === 'VIADUCT_PORT') return text.includes('://');
  return /^VIADUCT_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_\w+)$/.test(variable);
}
