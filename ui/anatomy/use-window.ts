import { useState } from 'preact/hooks';

/** The part of the time that is seen, in microseconds. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

export interface WindowControl extends TimeWindow {
  readonly isWhole: boolean;
  set(from: number, to: number): void;
  /** Shows `factor` times as much, around the middle. */
  zoom(factor: number): void;
  reset(): void;
}

/** Bars in a shorter time cannot be distinguished. */
const WIDTH_MIN_US = 20;

export function useWindow(end: number): WindowControl {
  const [{ from, to }, setWindow] = useState<TimeWindow>({ from: 0, to: end });
  const set = (start: number, stop: number): void => {
    const width = Math.min(end, Math.max(WIDTH_MIN_US, stop - start));
    const first = Math.max(0, Math.min(start, end - width));
    setWindow({ from: first, to: first + width });
  };
  return {
    from,
    to,
    isWhole: from === 0 && to >= end,
    set,
    zoom(factor) {
      const half = ((to - from) * factor) / 2;
      const middle = (from + to) / 2;
      set(middle - half, middle + half);
    },
    reset: () => setWindow({ from: 0, to: end }),
  };
}
