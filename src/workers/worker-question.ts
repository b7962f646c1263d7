/** Where one thread of a worker is. */
export interface ThreadStack {
  /** As Python's `threading` names it. */
  readonly name: string;
  /** Index of the lane that the thread serves; null for a thread of the application, and if it is not known. */
  readonly lane: number | null;
  /** As in a traceback: the innermost call last. */
  readonly stack: string;
}

/** A worker whose interpreter is free answers at once. */
const ANSWER_MS = 2000;

/** A question to one worker. All who ask before the answer get the same one. */
export class WorkerQuestion<T> {
  readonly #send: () => void;
  #waiting: ((answer: T | null) => void)[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** `send` asks the worker. */
  constructor(send: () => void) {
    this.#send = send;
  }

  /** Resolves to the answer; to null if the worker does not answer in time, because C code holds its interpreter lock, or it is stopped. */
  ask(): Promise<T | null> {
    if (this.#timer === null) {
      this.#timer = setTimeout(() => this.finish(null), ANSWER_MS).unref();
      this.#send();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The worker has answered, or (null) will not. */
  finish(answer: T | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const resolve of this.#waiting.splice(0)) resolve(answer);
  }
}
