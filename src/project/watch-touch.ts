import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** People and scripts wait longer than that for a reload. */
const EVERY_MS = 1000;

/**
 * Calls `onTouch` when the file at `path` (absolute) is touched: when its time of modification becomes later than it ever was, or when it appears for the
 * first time. The path is followed again each time, so a symbolic link in it may be switched. Returns a function that ends the watch.
 *
 * The file is looked at once in `everyMs`, because the notifications of the system neither follow links nor cross a network.
 */
export function watchTouch(path: string, onTouch: () => void, everyMs = EVERY_MS): () => void {
  let lastMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  let isLooking = false;
  let isOver = false;
  const look = async (): Promise<void> => {
    if (isLooking) return; // the disk does not answer
    isLooking = true;
    const touchedMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    isLooking = false;
    if (isOver || touchedMs <= lastMs) return;
    lastMs = touchedMs;
    onTouch();
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}
