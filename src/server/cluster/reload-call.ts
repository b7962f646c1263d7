/** A reload of one server process, as the primary sees it: the steps that the process reports, and the end. */
export class ReloadCall {
  readonly id: number;
  /** Resolves when the process serves the new release, or the old one again. */
  readonly over: Promise<void>;
  #isOver = false;
  #failure: Error | null = null;
  #onOver: () => void = () => {};
  #onStep: ((error: Error | null) => void) | null = null;

  constructor(id: number) {
    this.id = id;
    this.over = new Promise((resolve) => {
      this.#onOver = resolve;
    });
  }

  /** Resolves at the next step. Rejects when the reload fails, or has failed since the last step. */
  next(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure);
      else if (this.#isOver) resolve();
      else this.#onStep = (error) => (error === null ? resolve() : reject(error));
    });
  }

  /** The process waits at a step. */
  reached(): void {
    this.#step(null);
  }

  /** The reload is over, because it has succeeded (null) or for `failure`. */
  ended(failure: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#step(failure);
    this.#onOver();
  }

  #step(error: Error | null): void {
    const onStep = this.#onStep;
    this.#onStep = null;
    onStep?.(error);
  }
}
