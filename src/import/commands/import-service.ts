import { ConfigBuilder } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import { refused } from '../refused.ts';
import { appendCommand } from '../sidecar-tables.ts';
import type { Source } from '../source.ts';
import { carryUwsgi } from '../uwsgi/import-uwsgi.ts';
import { readCommandOptions } from '../uwsgi/read-options.ts';
import { isMount, setDirectory, type WsgiContext } from '../wsgi-config-builder.ts';
import { SERVER_NAMES, type ServerCommand, type ServiceCommand, serverCommandOf } from './command-line.ts';
import { carryGunicornCommand } from './gunicorn-command.ts';
import { carryOtherCommand } from './other-servers.ts';
import { readProcfile, readSupervisor, readUnit } from './read-services.ts';

interface Imported {
  readonly builder: ConfigBuilder;
  readonly report: ImportReport;
}

/** Converts a `Procfile` to settings: the web server, and a sidecar for each other process. */
export function importProcfile(source: Source): Imported {
  return importCommands(readProcfile(source), source, new ImportReport());
}

/** Converts the programs of a supervisor to settings. */
export function importSupervisor(source: Source): Imported {
  const report = new ImportReport();
  return importCommands(readSupervisor(source, report), source, report);
}

/** Converts a unit of systemd to settings. */
export function importSystemd(source: Source): Imported {
  const report = new ImportReport();
  return importCommands(readUnit(source, report), source, report);
}

function importCommands(commands: readonly ServiceCommand[], source: Source, report: ImportReport): Imported {
  const builder = new ConfigBuilder();
  const context: WsgiContext = { builder, report, output: source.output, pathOf: source.pathOf };
  const found = commands.map((command) => ({ command, server: serverCommandOf(command) }));
  const web = found.find(({ server }) => server !== null);
  if (web === undefined || web.server === null)
    throw refused({ file: source.shown, line: 1 }, `no command starts ${SERVER_NAMES.join(', ')}`);
  const { settings } = web.command;
  const directory = settings.get('directory');
  if (directory !== undefined) setDirectory(directory.value, directory.statement, context);
  carryServer(web.server, web.command, context);
  for (const name of ['user', 'group']) {
    const setting = settings.get(name);
    if (setting !== undefined) report.needless(setting.statement, 'keep it where Viaduct is started');
  }
  writeVariables(web.server, web.command, context);
  for (const { command, server } of found)
    if (server === null) writeProcess(command, settings, context);
    else if (command !== web.command)
      report.lost(command.statement, 'Viaduct is one server: import this one separately');
  return { builder, report };
}

function carryServer(command: ServerCommand, service: ServiceCommand, context: WsgiContext): void {
  const { server, statement, args, python } = command;
  context.report.took(statement);
  if (server === 'gunicorn') carryGunicornCommand(command, service, context);
  else if (server === 'uwsgi') carryUwsgi(readCommandOptions(args, statement, service.base), context);
  else carryOtherCommand(command, context);
  if (python !== null && context.builder.get('python') === undefined)
    context.builder.set('python', context.pathOf(python), statement);
}

/** Variables stay with the service manager. */
function writeVariables(
  { server, statement, environment }: ServerCommand,
  service: ServiceCommand,
  { builder, report }: WsgiContext,
): void {
  for (const { statement: from } of service.environment.values())
    if (!report.knows(from)) report.needless(from, 'keep the variables where Viaduct is started');
  for (const [name, value] of environment) {
    if (server === 'gunicorn' && name === 'SCRIPT_NAME' && isMount(value.replace(/\/+$/, ''))) continue; // it has become a route
    builder.remarks.push(`in the environment: ${`${name}=${value}`.replace(/[^\x20-\x7e]/g, '?')}`);
    report.lost({ ...statement, text: `${name}=${value}` }, 'set the variable in the environment of Viaduct');
  }
}

/** A `release:` line of a Procfile runs once before the start. */
function writeProcess(
  { name, line, statement, environment, settings }: ServiceCommand,
  web: ServiceCommand['settings'],
  { builder, report, pathOf }: WsgiContext,
): void {
  if (name === 'release') {
    report.lost(statement, `run it before the start: viaduct exec ${line}`);
    return;
  }
  report.took(statement);
  const table = appendCommand(builder, 'process', line, name, statement);
  const directory = settings.get('directory');
  if (directory !== undefined) {
    report.took(directory.statement);
    if (directory.value !== '' && directory.value !== web.get('directory')?.value)
      table.set('directory', pathOf(directory.value), directory.statement);
  }
  const variables = [...environment];
  for (const [, { statement: from }] of variables) report.took(from);
  if (variables.length > 0)
    table.set(
      'environment',
      Object.fromEntries(variables.map(([key, { value }]) => [key, value])),
      ...variables.map(([, one]) => one.statement),
    );
  writeProgram(settings, table, report);
  const user = settings.get('user');
  if (user === undefined) return;
  if (user.value === web.get('user')?.value) report.took(user.statement);
  else report.lost(user.statement, 'sidecars run as the user of the workers: run this one as a service of its own');
}

/** What a supervisor says about how a program runs. */
function writeProgram(settings: ServiceCommand['settings'], table: ConfigBuilder, report: ImportReport): void {
  const [count, grace, signal] = ['numprocs', 'stopwaitsecs', 'stopsignal'].map((name) => settings.get(name));
  if (count !== undefined && /^\d+$/.test(count.value)) table.set('count', Number(count.value), count.statement);
  if (grace !== undefined && /^\d+$/.test(grace.value)) table.set('stop_grace_ms', `${grace.value}s`, grace.statement);
  if (signal !== undefined && /^(?:TERM|INT|QUIT|HUP|USR1|USR2)$/.test(signal.value))
    table.set('stop_signal', `SIG${signal.value}`, signal.statement);
  for (const one of [count, grace, signal]) if (one !== undefined) report.took(one.statement);
}
