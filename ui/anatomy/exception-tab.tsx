import type { ExceptionPart, Frame } from '../../src/trace/document.ts';
import { shortPath } from '../model/format.ts';
import { CodePlace } from '../parts/code-place.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Fields } from '../parts/fields.tsx';
import { Empty } from '../parts/notices.tsx';

/** The exception, with the source and the local variables of each frame. */
export function ExceptionTab({ exception }: { readonly exception: ExceptionPart | null }) {
  if (exception === null) return <Empty title="No exception">The application answered without one.</Empty>;
  const { type, message, frames, traceback } = exception;
  const last = frames.findLastIndex(({ isProject }) => isProject);
  return (
    <>
      <section class="card exception">
        <p class="eyebrow">{type}</p>
        <p class="exception-message">{message}</p>
        <CopyButton text={traceback} label="Copy traceback" />
      </section>
      <p class="muted">The outermost call comes first. Frames of your project are open.</p>
      <ol class="frames">
        {frames.map((frame, index) => (
          <FrameItem key={index} frame={frame} open={index === last || (last < 0 && index === frames.length - 1)} />
        ))}
      </ol>
      <details class="card">
        <summary>Traceback as text</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
        <pre tabIndex={0}>{traceback}</pre>
      </details>
    </>
  );
}

function FrameItem({ frame, open }: { readonly frame: Frame; readonly open: boolean }) {
  const { file, line, source, sourceLine, locals, isProject } = frame;
  return (
    <li class={isProject ? 'frame project' : 'frame'}>
      <details open={open || isProject}>
        <summary>
          <code>{frame.function}</code>{' '}
          <span class="muted">
            {shortPath(file)}:{line}
          </span>
          {isProject && <span class="badge tone-info">your code</span>}
        </summary>
        <p class="frame-place">
          Open <CodePlace file={file} line={line} />
        </p>
        {source.length > 0 && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it
          <pre class="source" tabIndex={0}>
            {source.map((text, index) => (
              <span key={sourceLine + index} class={sourceLine + index === line ? 'source-line at' : 'source-line'}>
                <i>{sourceLine + index}</i>
                {`${text}\n`}
              </span>
            ))}
          </pre>
        )}
        {locals.length > 0 && (
          <details class="locals">
            <summary>Local variables ({locals.length})</summary>
            <Fields fields={locals} label={`Local variables of ${frame.function}`} />
          </details>
        )}
      </details>
    </li>
  );
}
