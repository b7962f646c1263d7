import { useMemo, useState } from 'preact/hooks';
import type { Profile } from '../../src/trace/document.ts';
import { type FlameBox, flameBoxes, frameTitle, hottest } from '../model/flame.ts';
import { duration, percent } from '../model/format.ts';
import { Empty } from '../parts/notices.tsx';

const HOTTEST = 12;
/** A box that is narrower than this cannot be seen. */
const WIDTH_MIN = 0.001;
const BOX_HEIGHT = 22;

/** Where the request's thread was, sampled, as a flame graph and as a list. */
export function ProfileTab({ profile }: { readonly profile: Profile | null }) {
  if (profile === null || profile.stacks.length === 0)
    return (
      <Empty title="No profile was made">
        Ask for one: viaduct trace --profile URL. It samples the stack of the request's thread while it runs.
      </Empty>
    );
  return <FlameGraph profile={profile} />;
}

function FlameGraph({ profile }: { readonly profile: Profile }) {
  const boxes = useMemo(() => flameBoxes(profile), [profile]);
  const [focus, setFocus] = useState<FlameBox | null>(null);
  const left = focus?.left ?? 0;
  const width = focus?.width ?? 1;
  const total = profile.stacks.reduce((sum, { samples }) => sum + samples, 0);
  const shown = boxes.filter(
    (box) => box.width / width >= WIDTH_MIN && box.left < left + width - 1e-9 && box.left + box.width > left + 1e-9,
  );
  const depth = Math.max(...shown.map((box) => box.depth)) + 1;
  return (
    <>
      <p class="lead">
        {total} samples, one each {duration(profile.intervalUs)}. A box is as wide as its part of the samples; what it
        called is below it.
      </p>
      <div class="toolbar">
        <button type="button" class="button" disabled={focus === null} onClick={() => setFocus(null)}>
          Whole profile
        </button>
        <span class="muted" role="status">
          {focus === null ? 'Choose a box to see it alone' : focus.frame}
        </span>
      </div>
      <div class="card flame" style={{ height: `${depth * BOX_HEIGHT + 16}px` }}>
        {shown.map((box) => {
          const from = Math.max(left, box.left);
          const to = Math.min(left + width, box.left + box.width);
          const text = `${box.frame}: ${box.samples} samples, ${percent(box.samples / total)}`;
          return (
            <button
              type="button"
              key={box.key}
              class={/site-packages|\/lib\/python/.test(box.frame) ? 'flame-box library' : 'flame-box'}
              style={{
                left: `${((from - left) / width) * 100}%`,
                width: `${((to - from) / width) * 100}%`,
                top: `${box.depth * BOX_HEIGHT + 8}px`,
              }}
              title={text}
              aria-label={text}
              onClick={() => setFocus(box)}
            >
              {frameTitle(box.frame)}
            </button>
          );
        })}
      </div>
      <section class="card" aria-labelledby="hottest-title">
        <h2 id="hottest-title">Where the thread was most</h2>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Function</th>
              <th scope="col" class="number">
                Samples
              </th>
              <th scope="col" class="number">
                Part
              </th>
            </tr>
          </thead>
          <tbody>
            {hottest(boxes, HOTTEST).map(({ frame, samples }) => (
              <tr key={frame}>
                <td class="mono" title={frame}>
                  {frameTitle(frame)}
                </td>
                <td class="number">{samples}</td>
                <td class="number">{percent(samples / total)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
