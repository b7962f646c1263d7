import { useEffect, useState } from 'preact/hooks';
import type { Overview } from '../../src/trace/overview.ts';
import { getLive, getOverview, type LiveRequest } from '../data/api.ts';
import { subscribe } from '../data/events.ts';
import { addPoint, NO_POINTS, type Series } from '../model/series.ts';

export interface Dashboard {
  readonly overview: Overview | null;
  readonly series: Series;
  readonly live: readonly LiveRequest[];
  readonly problem: string;
}

/** The points outlive the page, so that a reader who comes back finds the charts. */
let series: Series = NO_POINTS;

/** The state of the server each second, and its requests that are not answered yet. */
export function useOverview(): Dashboard {
  const [state, setState] = useState<Dashboard>({ overview: null, series, live: [], problem: '' });
  useEffect(() => {
    let isOpen = true;
    const show = (overview: Overview): void => {
      series = addPoint(series, overview);
      setState((old) => ({ ...old, overview, series, problem: '' }));
      getLive().then(
        (live) => isOpen && setState((old) => ({ ...old, live })),
        () => undefined,
      );
    };
    getOverview().then(
      (overview) => isOpen && show(overview),
      (error: Error) => isOpen && setState((old) => ({ ...old, problem: error.message })),
    );
    const leave = subscribe({ onOverview: show });
    return () => {
      isOpen = false;
      leave();
    };
  }, []);
  return state;
}
