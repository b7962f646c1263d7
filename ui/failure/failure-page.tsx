import { render } from 'preact';
import type { TraceDocument } from '../../src/trace/document.ts';
import { Anatomy } from '../anatomy/anatomy.tsx';
import { ExceptionFrames } from '../anatomy/exception-frames.tsx';
import { getTrace } from '../data/api.ts';
import { Frame } from '../frame.tsx';
import { duration, shortMessage } from '../model/format.ts';
import { spanLabel } from '../model/kinds.ts';
import { CopyButton } from '../parts/copy-button.tsx';

/** The record of Python comes a little after the page, and later if the application still closes its response. */
const TRIES = 40;
const TRY_MS = 250;

/** Replaces the text of a failure by the exception and the anatomy of its request, as soon as both are known. Until then the text stays. */
export async function showFailure(root: HTMLElement, id: string): Promise<void> {
  for (let turn = 0; turn < TRIES; turn += 1) {
    const trace = await getTrace(id).catch(() => null);
    if (trace !== null && (trace.exception !== null || trace.state !== 'running')) {
      const text = root.querySelector('.eyebrow')?.textContent ?? '';
      const headline = root.querySelector('h1')?.textContent ?? '';
      root.replaceChildren();
      render(<FailurePage title={text} headline={headline} trace={trace} />, root);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
}

interface FailurePageProps {
  readonly title: string;
  /** The error in one line, if the trace has no exception. */
  readonly headline: string;
  readonly trace: TraceDocument;
}

/** The hops that went wrong, such as the backends that were tried, each with what happened and how long it took. */
function FailedHops({ trace }: { readonly trace: TraceDocument }) {
  const failed = trace.spans.filter(({ attributes }) => attributes.error !== undefined);
  if (failed.length === 0) return null;
  return (
    <section class="card failed-hops" aria-labelledby="failed-hops-title">
      <h2 id="failed-hops-title">What went wrong</h2>
      <ol>
        {failed.map(({ kind, name, attributes, startUs, endUs }, index) => (
          <li key={index}>
            <code>{spanLabel(kind, name)}</code>
            <p>{String(attributes.error)}</p>
            {endUs !== null && (
              <p class="muted">
                for {duration(endUs - startUs)}, {duration(startUs)} after the start of the request
              </p>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A failed request: what was raised, and below it everything that happened before. */
function FailurePage({ title, headline, trace }: FailurePageProps) {
  const { exception } = trace;
  return (
    <Frame path="">
      <section class="page failure" aria-label="The error">
        <header class="card exception">
          <p class="eyebrow">{exception === null ? title : `${title}: ${exception.type}`}</p>
          <h1 class="exception-message">
            {exception === null ? headline : shortMessage(exception.message) || exception.type}
          </h1>
          {exception !== null && <CopyButton text={exception.traceback} label="Copy traceback" />}
        </header>
        {exception !== null ? <ExceptionFrames exception={exception} /> : <FailedHops trace={trace} />}
        <p class="muted">This page is shown in development only. Change a file, and reload.</p>
      </section>
      <Anatomy document={trace} isBelow />
    </Frame>
  );
}
