import { useEffect } from 'preact/hooks';
import { getTrace } from '../data/api.ts';
import { Empty, Loading, Problem } from '../parts/notices.tsx';
import { useData } from '../parts/use-data.ts';
import { Anatomy } from './anatomy.tsx';

const RELOAD_MS = 1000;

/** The anatomy of one kept request. While it runs, it is asked for again. */
export function AnatomyPage({ id }: { readonly id: string }) {
  const { data, problem, reload } = useData(`trace ${id}`, () => getTrace(id));
  const isRunning = data?.state === 'running';
  useEffect(() => {
    if (!isRunning) return;
    const timer = setTimeout(reload, RELOAD_MS);
    return () => clearTimeout(timer);
  }, [isRunning, data, reload]);
  if (problem !== '') return <Missing id={id} problem={problem} retry={reload} />;
  return data === null ? <Loading /> : <Anatomy key={id} document={data} />;
}

function Missing({
  id,
  problem,
  retry,
}: {
  readonly id: string;
  readonly problem: string;
  readonly retry: () => void;
}) {
  return (
    <>
      <h1>Request {id}</h1>
      <Problem message={problem} retry={retry} />
      <Empty title={`There is no trace of ${id} to show`}>
        Traces live in memory: newer ones take the place of old ones, and a restart drops all of them.
      </Empty>
    </>
  );
}
