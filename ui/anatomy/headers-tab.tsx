import { useState } from 'preact/hooks';
import type { Hop } from '../../src/trace/document.ts';
import { changesByHop, compareFields, type FieldChange, type HopChanges } from '../model/header-changes.ts';
import { Empty } from '../parts/notices.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { ChangeList } from './change-list.tsx';

/** Which hop changed which header, and the difference between any two hops. */
export function HeadersTab({ hops }: { readonly hops: readonly Hop[] }) {
  if (hops.length === 0)
    return <Empty title="No hop's headers are known">They are recorded for traces in full, not for stages only.</Empty>;
  const changes = changesByHop(hops);
  return (
    <div class="two">
      <section class="card" aria-labelledby="hops-title">
        <h2 id="hops-title">Hop by hop</h2>
        <Direction title="The request, on its way in" hops={changes.filter(({ hop }) => hop.direction === 'request')} />
        <Direction
          title="The response, on its way out"
          hops={changes.filter(({ hop }) => hop.direction === 'response')}
        />
      </section>
      <Difference hops={hops} />
    </div>
  );
}

function Direction({ title, hops }: { readonly title: string; readonly hops: readonly HopChanges[] }) {
  if (hops.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ol class="hops">
        {hops.map((each) => (
          <li key={each.index} class={each.changes.length > 0 ? 'changing' : ''}>
            <p class="hop-name">
              {each.hop.name} <span class="muted">{each.hop.status}</span>
            </p>
            <ChangeList changes={each} />
          </li>
        ))}
      </ol>
    </>
  );
}

function Difference({ hops }: { readonly hops: readonly Hop[] }) {
  const lastDirection = hops.at(-1)?.direction;
  const first = hops.findIndex(({ direction }) => direction === lastDirection);
  const [left, setLeft] = useState(Math.max(0, first));
  const [right, setRight] = useState(hops.length - 1);
  const [all, setAll] = useState(false);
  const fields = compareFields(hops[left]?.headers ?? [], hops[right]?.headers ?? []);
  const shown = all ? fields : fields.filter(({ change }) => change !== 'same');
  return (
    <section class="card" aria-labelledby="difference-title">
      <h2 id="difference-title">Any two hops</h2>
      <div class="toolbar">
        <HopChoice label="From" hops={hops} value={left} onChange={setLeft} />
        <HopChoice label="To" hops={hops} value={right} onChange={setRight} />
        <label class="check">
          <input type="checkbox" checked={all} onChange={({ currentTarget }) => setAll(currentTarget.checked)} />
          Unchanged, too
        </label>
      </div>
      {shown.length === 0 ? (
        <p class="muted">These two hops have the same fields.</p>
      ) : (
        <DifferenceTable fields={shown} />
      )}
    </section>
  );
}

interface HopChoiceProps {
  readonly label: string;
  readonly hops: readonly Hop[];
  readonly value: number;
  readonly onChange: (index: number) => void;
}

function HopChoice({ label, hops, value, onChange }: HopChoiceProps) {
  const option = (hop: Hop, index: number) => (
    <option key={index} value={index}>
      {hop.name}
    </option>
  );
  const group = (direction: Hop['direction']) =>
    hops.map((hop, index) => (hop.direction === direction ? option(hop, index) : null));
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}>
        <optgroup label="Request">{group('request')}</optgroup>
        <optgroup label="Response">{group('response')}</optgroup>
      </select>
    </label>
  );
}

/** Fields before and after, with what became of each. */
export function DifferenceTable({ fields }: { readonly fields: readonly FieldChange[] }) {
  return (
    <Scroll>
      <table class="table difference">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Change</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ name, change, before, after }) => (
            <tr key={name} class={`change-${change}`}>
              <th scope="row">{name}</th>
              <td>{change}</td>
              <td>{before.join('\n')}</td>
              <td>{after.join('\n')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
