import { mergeStatus, type ServerStatus, silentReport } from '../status.ts';
import type { Answers, Question } from './messages.ts';
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
