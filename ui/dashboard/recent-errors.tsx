import { getErrors } from '../data/api.ts';
import { age } from '../model/format.ts';
import { Link } from '../parts/link.tsx';
import { useData } from '../parts/use-data.ts';
import { anatomyPath } from '../router.ts';

const SHOWN = 6;

/** The causes that failed last. */
export function RecentErrors() {
  const { data } = useData('recent errors', getErrors);
  const groups = data ?? [];
  return (
    <section class="card" aria-labelledby="errors-title">
      <h2 id="errors-title">
        <Link to="/errors">Errors</Link> <span class="count">{groups.length}</span>
      </h2>
      {groups.length === 0 && <p class="muted">No kept request has failed.</p>}
      <ul class="rows">
        {groups.slice(0, SHOWN).map(({ cause, count, lastAt, traces }) => (
          <li key={cause}>
            <span class="clip">
              {traces[0] === undefined ? cause : <Link to={anatomyPath(traces[0])}>{cause}</Link>}
            </span>
            <span class="badge tone-bad">{count}×</span>
            <span class="muted">{age(Date.now() - Date.parse(lastAt))} ago</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
