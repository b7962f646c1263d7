import { plural } from '../model/format.ts';
import type { FieldChange, HopChanges } from '../model/header-changes.ts';

const SIGNS = { added: '+', removed: '−', changed: '~', same: ' ' } as const;

/** What a hop did to the fields, one line each. */
export function ChangeList({ changes }: { readonly changes: HopChanges }) {
  if (changes.isFirst)
    return <p class="muted">The first time it is seen, with {plural(changes.hop.headers.length, 'field')}.</p>;
  if (changes.changes.length === 0 && changes.statusBefore === '') return <p class="muted">No field was changed.</p>;
  return (
    <ul class="changes">
      {changes.statusBefore !== '' && (
        <li class="change-changed">
          <b>status</b> {changes.statusBefore} → {changes.hop.status}
        </li>
      )}
      {changes.changes.map((each) => (
        <Line key={each.name} change={each} />
      ))}
    </ul>
  );
}

function Line({ change: { name, change, before, after } }: { readonly change: FieldChange }) {
  return (
    <li class={`change-${change}`}>
      <span class="sign" aria-hidden="true">
        {SIGNS[change]}
      </span>
      <span class="hidden">{change}: </span>
      <b>{name}</b> {before.length > 0 && <del>{before.join(', ')}</del>}{' '}
      {after.length > 0 && <ins>{after.join(', ')}</ins>}
    </li>
  );
}
