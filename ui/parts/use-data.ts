import { useCallback, useEffect, useState } from 'preact/hooks';

export interface Loaded<T> {
  readonly data: T | null;
  /** Why there is no data; ''. */
  readonly problem: string;
  reload(): void;
}

/** Loads data when the page opens, and again when `key` changes. */
export function useData<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; data: T | null; problem: string }>({
    key,
    data: null,
    problem: '',
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    load().then(
      (data) => isCurrent && setState({ key, data, problem: '' }),
      (error: Error) => isCurrent && setState({ key, data: null, problem: error.message }),
    );
    return () => {
      isCurrent = false;
    };
  }, [key, turn]);
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  return state.key === key ? { data: state.data, problem: state.problem, reload } : { data: null, problem: '', reload };
}
