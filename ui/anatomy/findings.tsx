import type { TraceDocument } from '../../src/trace/document.ts';
import { findingsOf } from '../model/findings.ts';
import { CodePlace } from '../parts/code-place.tsx';

interface FindingsProps {
  readonly document: TraceDocument;
  /** Whether the exception stands above. */
  readonly isBelow: boolean;
  readonly onShow: (tab: string, span: number) => void;
}

/** What stands out, each with the way to it. */
export function Findings({ document, isBelow, onShow }: FindingsProps) {
  const findings = findingsOf(document).filter(({ tab }) => !isBelow || tab !== 'exception');
  return (
    <section class="card findings" aria-labelledby="findings-title">
      <h2 id="findings-title">What stands out</h2>
      {findings.length === 0 && (
        <p class="muted">
          {isBelow ? 'Nothing else: ' : 'Nothing: no failure, '}
          no repeated query, no hop that took most of the time.
        </p>
      )}
      <ul>
        {findings.map(({ tone, title, text, tab, span, file, line }) => (
          <li key={`${title} ${span}`} class={`finding tone-${tone}`}>
            <button type="button" class="finding-title" onClick={() => onShow(tab, span)}>
              {title}
            </button>
            <p>
              {text} <CodePlace file={file} line={line} />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
