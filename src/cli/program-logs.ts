import type { Settings } from '../config/settings.ts';
import type { LogTap } from '../log/log-tap.ts';
import { byTime, entriesOf, readLogTail } from '../log/read-log.ts';
import type { RunningCluster } from '../server/cluster/primary.ts';
import type { ControlledLogs } from '../server/control/logs-api.ts';

/**
 * The logs of the whole program: of this process, and of its server processes if there are several. Lines that are in files are read from there.
 * Otherwise there are the last entries of the server's log, and of the access log only what comes while somebody follows it.
 */
export function programLogs(settings: Settings, tap: LogTap, cluster: RunningCluster | null): ControlledLogs {
  const { accessLogFile, errorLogFile } = settings;
  return {
    async recentLogs(filter, count) {
      const access = accessLogFile === null ? [] : await readLogTail(accessLogFile, 'access', filter, count);
      if (errorLogFile !== null)
        return last(byTime(access, await readLogTail(errorLogFile, 'server', filter, count)), count);
      const others = (await cluster?.recentLog(filter, count)) ?? [];
      return last(byTime(access, entriesOf(tap.recent(filter, count)), ...others.map(entriesOf)), count);
    },
    followLogs(filter, onLine) {
      const stopOwn = tap.follow(filter, onLine);
      const stopOthers = cluster?.followLogs(filter, onLine);
      return () => {
        stopOwn();
        stopOthers?.();
      };
    },
  };
}

function last<T>(items: readonly T[], count: number): readonly T[] {
  return count === 0 ? [] : items.slice(-count);
}
