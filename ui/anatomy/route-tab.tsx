import type { TraceDocument } from '../../src/trace/document.ts';
import { EXPLANATIONS } from '../model/explanations.ts';
import { Empty } from '../parts/notices.tsx';

/** The route, why it matched, and why those before it did not. */
export function RouteTab({ document: { route, spans } }: { readonly document: TraceDocument }) {
  if (route === null)
    return <Empty title="No route was chosen">A site without routes gives all requests to its application.</Empty>;
  const handlers = spans.filter(({ kind }) => kind === 'handler').map(({ name }) => name);
  return (
    <section class="card route">
      <ol class="routes">
        {route.rejected.map(({ name, why }, index) => (
          <li key={index} class="rejected">
            <b>{name}</b>
            <p class="muted">{why}</p>
          </li>
        ))}
        <li class="matched">
          <b>{route.name || 'none'}</b>
          <p>{route.why}</p>
          {handlers.length > 0 && <p class="chain">{handlers.join(' → ')}</p>}
        </li>
      </ol>
      <p class="explanation">{EXPLANATIONS.route.what}</p>
    </section>
  );
}
