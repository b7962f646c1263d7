import type { SettingName } from './settings.ts';

/** Settings of the command `viaduct`, and why a server inside a program does not take them. */
export const COMMAND_SETTINGS: ReadonlyMap<string, string> = new Map<SettingName, string>([
  ['processes', 'a server inside a program is one process'],
  ['user', 'the program has its user already'],
  ['group', 'the program has its group already'],
  ['accessLogFile', 'the access log of a program goes to its standard output'],
  ['errorLogFile', 'the program passes a log of its own'],
  ['accessLogSyslog', 'the access log of a program goes to its standard output'],
  ['errorLogSyslog', 'the program passes a log of its own'],
  ['accessLogJournal', 'the access log of a program goes to its standard output'],
  ['errorLogJournal', 'the program passes a log of its own'],
  ['control', 'only the command viaduct opens a control socket'],
  ['admin', 'only the command viaduct opens an admin listener'],
  ['adminTokenFile', 'only the command viaduct opens an admin listener'],
  ['proxy', 'only the command viaduct takes it; write a route with proxy'],
]);
