import type { Scaled } from '../../site/applications.ts';
import { mergeStatus, type ServerStatus, silentReport } from '../status.ts';
import type { Answers, Question } from './messages.ts';
import { workerShare } from './process-configuration.ts';
import type { ServerProcess } from './server-process.ts';

/** Asks all `serverProcesses`. Resolves to the answers of those that answer in time. */
export async function askAll<Q extends Question>(
  serverProcesses: readonly ServerProcess[],
  question: Q,
): Promise<Answers[Q['about']][]> {
  const answers = await Promise.all(serverProcesses.map((serverProcess) => serverProcess.ask(question)));
  return answers.filter((answer) => answer !== null);
}

/** The status of all `serverProcesses`. One that does not answer in time is `silent`. */
export async function askStatus(
  serverProcesses: readonly ServerProcess[],
  urls: readonly string[],
): Promise<ServerStatus> {
  const reports = await Promise.all(
    serverProcesses.map(async (serverProcess) => {
      return (await serverProcess.ask({ about: 'status' })) ?? silentReport(serverProcess.pid);
    }),
  );
  return mergeStatus(reports, urls);
}

/**
 * Shares out `workers` workers of an application. A process that does not answer in time, or that still starts (null or
 * not yet `ready`), counts with its share, which it gets later.
 */
export async function askToScale(
  serverProcesses: readonly (ServerProcess | null)[],
  application: string,
  workers: number,
): Promise<Scaled> {
  const shares = serverProcesses.map((_, index) => workerShare(workers, serverProcesses.length, index));
  const answers = await Promise.all(
    serverProcesses.map((one, index) => one?.ask({ about: 'scale', application, workers: shares[index] as number })),
  );
  const answer = answers.find((one) => typeof one === 'number') ?? answers.find((one) => typeof one === 'string');
  return typeof answer === 'number' ? shares.reduce((sum, share) => sum + share, 0) : (answer ?? 'changing');
}
