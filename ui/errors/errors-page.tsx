import { useEffect } from 'preact/hooks';
import type { ErrorGroup } from '../../src/trace/store.ts';
import { getErrors } from '../data/api.ts';
import { subscribe } from '../data/events.ts';
import { age, clock, plural } from '../model/format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Link } from '../parts/link.tsx';
import { Empty, Loading, Problem } from '../parts/notices.tsx';
import { useData } from '../parts/use-data.ts';
import { anatomyPath } from '../router.ts';

const RELOAD_MS = 2000;

/** Requests that failed, grouped by cause. */
export function ErrorsPage() {
  const { data, problem, reload } = useData('errors', getErrors);
  useEffect(() => reloadAfterErrors(reload), [reload]);
  if (problem !== '') return <Problem message={problem} retry={reload} />;
  if (data === null) return <Loading />;
  return (
    <div class="page">
      <header class="page-head">
        <h1>Errors</h1>
        <p class="muted">
          {data.length === 0 ? 'None' : `${plural(data.length, 'cause')}, the latest first. Only kept requests count.`}
        </p>
      </header>
      {data.length === 0 ? (
        <Empty title="No request has failed">
          A request that ends with an exception, a status from 500, or a reason of this server appears here at once.
        </Empty>
      ) : (
        <ul class="errors">
          {data.map((group) => (
            <Group key={group.cause} group={group} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Group({ group }: { readonly group: ErrorGroup }) {
  const { cause, error, request, count, firstAt, lastAt, routes, traces, traceback } = group;
  const [newest] = traces;
  return (
    <li class="card error-group">
      <div class="error-head">
        <span class="badge tone-bad">{count}×</span>
        <h2>{cause}</h2>
      </div>
      {error !== cause && <p class="row-error">{error}</p>}
      <p class="muted">
        <code>{request}</code>, last {age(Date.now() - Date.parse(lastAt))} ago, first at {clock(firstAt)}
        {routes.length > 0 && `, on ${routes.join(', ')}`}
      </p>
      <div class="actions">
        {newest !== undefined && (
          <Link to={anatomyPath(newest)} class="button">
            Open the newest
          </Link>
        )}
        {traceback !== '' && <CopyButton text={traceback} label="Copy traceback" small={false} />}
      </div>
      {traceback !== '' && (
        <details>
          <summary>Traceback</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
          <pre tabIndex={0}>{traceback}</pre>
        </details>
      )}
      {traces.length > 1 && (
        <p class="traces">
          <span class="muted">Earlier:</span>{' '}
          {traces.slice(1).map((id) => (
            <Link key={id} to={anatomyPath(id)}>
              {id}
            </Link>
          ))}
        </p>
      )}
    </li>
  );
}

/** Asks again when requests have failed, at most every two seconds. */
function reloadAfterErrors(reload: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const leave = subscribe({
    onRequests(summaries) {
      if (timer !== undefined || !summaries.some(({ error, status }) => error !== '' || status >= 500)) return;
      timer = setTimeout(() => {
        timer = undefined;
        reload();
      }, RELOAD_MS);
    },
  });
  return () => {
    clearTimeout(timer);
    leave();
  };
}
