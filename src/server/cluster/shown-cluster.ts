import { ViaductError } from '../../errors.ts';
import type { Family } from '../../metrics/family.ts';
import type { LiveRequest } from '../live-requests.ts';
import type { RunningServer, ShownServer } from '../running-server.ts';
import type { ServerStatus } from '../status.ts';
import { AskedTraces } from '../trace/asked-traces.ts';
import { answerTraceQuestion } from '../trace/trace-questions.ts';
import type { ShownAnswer, ShownQuestion } from './messages.ts';

/** A little longer than the primary waits for a server process. */
const ANSWER_MS_MAX = 6000;

/** All server processes, as the pages of the development in one of them show them: the primary answers. */
export class ShownCluster implements ShownServer {
  readonly traces = new AskedTraces(async (question) => (await this.#ask({ about: 'traces', question })) as string);
  readonly #send: (id: number, question: ShownQuestion) => void;
  readonly #asked = new Map<number, (answer: ShownAnswer) => void>();
  #questions = 0;

  /** `send` sends a question to the primary, whose answer comes to `answered`. */
  constructor(send: (id: number, question: ShownQuestion) => void) {
    this.#send = send;
  }

  async status(): Promise<ServerStatus> {
    return (await this.#ask({ about: 'status' })) as ServerStatus;
  }

  async metrics(): Promise<readonly Family[] | null> {
    return (await this.#ask({ about: 'metrics' })) as readonly Family[] | null;
  }

  async requests(): Promise<readonly LiveRequest[]> {
    return (await this.#ask({ about: 'requests' })) as readonly LiveRequest[];
  }

  answered(id: number, answer: ShownAnswer): void {
    this.#asked.get(id)?.(answer);
  }

  #ask(question: ShownQuestion): Promise<ShownAnswer> {
    this.#questions += 1;
    const id = this.#questions;
    return new Promise<ShownAnswer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(id);
        reject(new ViaductError('WORKER', 'Cannot show all server processes: the primary does not answer'));
      }, ANSWER_MS_MAX);
      this.#asked.set(id, (answer) => {
        clearTimeout(timer);
        this.#asked.delete(id);
        resolve(answer);
      });
      this.#send(id, question);
    });
  }
}

/** The answer of the primary, which `cluster` is. */
export function answerOfCluster(
  cluster: Pick<RunningServer, keyof ShownServer>,
  question: ShownQuestion,
): Promise<ShownAnswer> {
  switch (question.about) {
    case 'status':
      return cluster.status();
    case 'metrics':
      return cluster.metrics();
    case 'requests':
      return cluster.requests();
    case 'traces':
      return answerTraceQuestion(cluster.traces, question.question);
  }
}
