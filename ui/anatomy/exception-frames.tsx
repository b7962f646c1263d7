import type { EarlierException, ExceptionPart, Frame, Raise } from '../../src/trace/document.ts';
import { plural, shortMessage, shortPath } from '../model/format.ts';
import { framesOf, ledTo, markedParts } from '../model/frames.ts';
import { CodePlace } from '../parts/code-place.tsx';
import { Fields } from '../parts/fields.tsx';

/** An exception and those that led to it, with the source and the local variables of each frame. */
export function ExceptionFrames({ exception }: { readonly exception: ExceptionPart }) {
  const { chain, traceback } = exception;
  return (
    <>
      {exception.frames.length > 0 && (
        <p class="muted">The outermost call comes first. Frames of your project are open.</p>
      )}
      <Frames raise={exception} />
      <LedTo raise={exception} at={-1} chain={chain} />
      <details class="card">
        <summary>Traceback as text</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
        <pre tabIndex={0}>{traceback}</pre>
      </details>
    </>
  );
}

interface LedToProps {
  readonly raise: Raise;
  /** The index of `raise` in `chain`. */
  readonly at: number;
  readonly chain: readonly EarlierException[];
}

/** What led to an exception directly: the members of a group, of which the first is open, then a cause, each with what led to it. */
function LedTo({ raise, at, chain }: LedToProps) {
  const { members, others, left } = ledTo(raise, at, chain);
  return (
    <>
      {members.length > 0 && (
        <section class="group" aria-label={`Exceptions of the group ${shortMessage(raise.message)}`}>
          {members.map(({ index, earlier }, number) => (
            <details key={index} class="earlier" open={number === 0}>
              <summary>
                <span class="muted">
                  {number + 1} of {raise.members}
                </span>{' '}
                <Headline raise={earlier} />
              </summary>
              <Frames raise={earlier} />
              <LedTo raise={earlier} at={index} chain={chain} />
            </details>
          ))}
          {left > 0 && <p class="muted">{plural(left, 'exception')} of the group more: only the first are recorded.</p>}
        </section>
      )}
      {others.map(({ index, earlier }) => (
        <section key={index} class="earlier">
          <p class="muted">
            {earlier.relation === 'cause' ? 'It was raised because of' : 'It was raised while this was handled'}
          </p>
          <h2>
            <Headline raise={earlier} />
          </h2>
          <Frames raise={earlier} />
          <LedTo raise={earlier} at={index} chain={chain} />
        </section>
      ))}
    </>
  );
}

function Headline({ raise: { type, message } }: { readonly raise: Raise }) {
  return (
    <span class="earlier-headline">
      {type}
      {message !== '' && <span class="earlier-message">: {shortMessage(message)}</span>}
    </span>
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

/** A line of which a part is meant. */
function Marked({ text, columns }: { readonly text: string; readonly columns: Frame['columns'] }) {
  const [before, marked, after] = markedParts(text, columns);
  if (marked === '') return <>{text}</>;
  return (
    <>
      {before}
      <mark>{marked}</mark>
      {after}
    </>
  );
}

interface FrameItemProps {
  readonly frame: Frame;
  readonly open: boolean;
  /** Whether the variables are open, too. */
  readonly shows: boolean;
}

function FrameItem({ frame, open, shows }: FrameItemProps) {
  const { file, line, source, sourceLine, locals, isProject, columns } = frame;
  return (
    <li class={isProject ? 'frame project' : 'frame'}>
      <details open={open}>
        <summary>
          <code>{frame.function === '' ? 'not compiled' : frame.function}</code>{' '}
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
                {sourceLine + index === line ? <Marked text={text} columns={columns} /> : text}
                {'\n'}
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
