import { resolve } from 'node:path';
import type { Identity } from '../os/process-user.ts';
import { projectCommand } from '../project/command.ts';
import type { Configuration } from '../site/configuration.ts';
import { nameOf } from '../site/schema/beside-name.ts';
import type { ScheduleConfig, SidecarConfig } from '../site/schema/site.ts';
import type { ProgramOptions } from './keeper.ts';

export interface SidecarOptions {
  readonly name: string;
  readonly program: ProgramOptions;
  readonly restart: SidecarConfig['restart'];
  readonly reload: SidecarConfig['reload'];
}

export interface ScheduleOptions {
  readonly name: string;
  readonly program: ProgramOptions;
  /** When it runs. */
  readonly when: { readonly cron: string; readonly timeZone: string | undefined } | { readonly everyMs: number };
  readonly timeoutMs: number;
}

/** All that a configuration lets run beside the application. */
export interface BesideOptions {
  /** The interpreter of the project; any if there is none. */
  readonly python: string;
  readonly sidecars: readonly SidecarOptions[];
  readonly schedules: readonly ScheduleOptions[];
}

/** The options in `configuration`. `identity` is the user whom programs run as, if this process does not. */
export function besideOptions(configuration: Configuration, identity: Identity | null): BesideOptions {
  const { site, bases } = configuration;
  const sidecars = (site?.process ?? []).flatMap((config): SidecarOptions[] => {
    const { count, restart, reload } = config;
    const program = programOf(config, configuration, bases.process, identity);
    return Array.from({ length: count }, (_, index) => {
      const name = count === 1 ? nameOf(config) : `${nameOf(config)}-${index + 1}`;
      return { name, program, restart, reload };
    });
  });
  const schedules = (site?.schedule ?? []).map((config): ScheduleOptions => {
    const { cron, every_ms: everyMs = 0, time_zone: timeZone, timeout_ms: timeoutMs } = config;
    const when = cron === undefined ? { everyMs } : { cron, timeZone };
    return {
      name: nameOf(config),
      program: programOf(config, configuration, bases.schedule, identity),
      when,
      timeoutMs,
    };
  });
  return { python: configuration.project?.python.path ?? 'python3', sidecars, schedules };
}

function programOf(
  config: SidecarConfig | ScheduleConfig,
  { project, settings }: Configuration,
  base: string | undefined,
  identity: Identity | null,
): ProgramOptions {
  const home = project?.directory ?? settings.chdir ?? process.cwd();
  const directory = config.directory === undefined ? home : resolve(base ?? home, config.directory);
  return {
    command: projectCommand(config.command, project?.python.path ?? 'python3', directory),
    directory,
    environment: {
      PYTHONUNBUFFERED: '1',
      ...process.env,
      ...(identity === null ? {} : variablesOf(identity)),
      ...project?.environment,
      ...config.environment,
    },
    stopSignal: config.stop_signal,
    graceMs: config.stop_grace_ms,
  };
}

/** What `dropPrivileges` sets for a process that becomes this user. */
function variablesOf({ home, user }: Identity): Readonly<Record<string, string>> {
  return user === null ? { HOME: home } : { HOME: home, USER: user, LOGNAME: user };
}
