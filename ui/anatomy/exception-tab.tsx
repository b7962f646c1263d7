import type { ExceptionPart } from '../../src/trace/document.ts';
import { shortMessage } from '../model/format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Empty } from '../parts/notices.tsx';
import { ExceptionFrames } from './exception-frames.tsx';

/** The exception, with the source and the local variables of each frame. */
export function ExceptionTab({ exception }: { readonly exception: ExceptionPart | null }) {
  if (exception === null) return <Empty title="No exception">The application answered without one.</Empty>;
  const { type, message, traceback } = exception;
  return (
    <>
      <section class="card exception">
        <p class="eyebrow">{type}</p>
        <p class="exception-message">{shortMessage(message)}</p>
        <CopyButton text={traceback} label="Copy traceback" />
      </section>
      <ExceptionFrames exception={exception} />
    </>
  );
}
