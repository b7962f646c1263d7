/** So many characters wait for a reader. */
const WAITING_CHARS_MAX = 256 * 1024;

/** Lines of JSON that wait for somebody who follows the logs. If the reader is slow, further lines are dropped and counted. */
export class FollowBuffer {
  #text = '';
  #dropped = 0;

  push(line: string): void {
    if (this.#text.length + line.length > WAITING_CHARS_MAX) this.#dropped += 1;
    else this.#text += `${line}\n`;
  }

  /** Removes and returns the lines, each with a line break. If some were dropped, the last one says how many. */
  take(): string {
    const text = this.#text;
    const dropped = this.#dropped;
    this.#text = '';
    this.#dropped = 0;
    if (dropped === 0) return text;
    const time = new Date().toISOString();
    const message = 'Lines were dropped: this follower reads too slowly';
    return `${text}{"log":"server","time":"${time}","level":"warn","message":"${message}","lines":${dropped}}\n`;
  }
}
