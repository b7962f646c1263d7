import type { EarlierException, ExceptionPart, Frame, Raise } from '../../src/trace/document.ts';
import { plural, shortMessage, shortPath } from '../model/format.ts';
import { framesOf } from '../model/frames.ts';
import { CodePlace } from '../parts/code-place.tsx';
import { Fields } from '../parts/fields.tsx';

/** An exception and those that led to it, with the source and the local variables of each frame. */
export function ExceptionFrames({ exception }: { readonly exception: ExceptionPart }) {
  const { chain, traceback } = exception;
  return (
    <>
      <p class="muted">The outermost call comes first. Frames of your project are open.</p>
      <Frames raise={exception} />
      {chain.map((earlier, index) => (
        <Earlier key={index} earlier={earlier} />
      ))}
      <details class="card">
        <summary>Traceback as text</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
        <pre tabIndex={0}>{traceback}</pre>
      </details>
    </>
  );
}

const RELATIONS = { cause: 'It was raised because of', context: 'It was raised while this was handled' } as const;

function Earlier({ earlier }: { readonly earlier: EarlierException }) {
  const { relation, type, message } = earlier;
  return (
    <section class="earlier">
      <p class="muted">{RELATIONS[relation]}</p>
      <h2>
        {type}
        {message !== '' && <span class="earlier-message">: {shortMessage(message)}</span>}
      </h2>
      <Frames raise={earlier} />
    </section>
  );
}

/** Frames of libraries that follow each other are one line. */
function Frames({ raise: { frames } }: { readonly raise: Raise }) {
  return (
    <ol class="frames">
      {framesOf(frames).map((part) =>
        'library' in part ? (
          <li key={part.at} class="frame library">
            <details>
              <summary>
                <span class="muted">
                  {plural(part.library.length, 'frame')} of libraries: {part.names.join(', ')}
                </span>
              </summary>
              <ol class="frames">
                {part.library.map((frame, index) => (
                  <FrameItem key={index} frame={frame} open={false} shows={false} />
                ))}
              </ol>
            </details>
          </li>
        ) : (
          <FrameItem key={part.at} frame={part.frame} open={part.open} shows={part.shows} />
        ),
      )}
    </ol>
  );
}

interface FrameItemProps {
  readonly frame: Frame;
  readonly open: boolean;
  /** Whether the variables are open, too. */
  readonly shows: boolean;
}

function FrameItem({ frame, open, shows }: FrameItemProps) {
  const { file, line, source, sourceLine, locals, isProject } = frame;
  return (
    <li class={isProject ? 'frame project' : 'frame'}>
      <details open={open}>
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
          <details class="locals" open={shows}>
            <summary>Local variables ({locals.length})</summary>
            <Fields fields={locals} label={`Local variables of ${frame.function}`} />
          </details>
        )}
      </details>
    </li>
  );
}
