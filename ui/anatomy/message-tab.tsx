import type { TraceDocument } from '../../src/trace/document.ts';
import { bytes } from '../model/format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Fields } from '../parts/fields.tsx';

/** The heads of both messages as the client sent the one and the handlers left the other, and the calls of start_response. */
export function MessageTab({ document: { request, response, startResponse } }: { readonly document: TraceDocument }) {
  const requestHead = headOf(`${request.method} ${request.target} ${request.protocol}`, request.headers);
  const responseHead = response === null ? '' : headOf(`${request.protocol} ${response.status}`, response.headers);
  return (
    <div class="two">
      <section class="card" aria-labelledby="request-title">
        <h2 id="request-title">Request</h2>
        <Head text={requestHead} />
        <p class="muted">
          {request.bodyBytes < 0 ? 'The size of its content is not known.' : `Content: ${bytes(request.bodyBytes)}.`} It
          came to {request.listener}.
        </p>
      </section>
      <section class="card" aria-labelledby="response-title">
        <h2 id="response-title">Response</h2>
        {response === null ? (
          <p class="muted">The client got no response.</p>
        ) : (
          <>
            <Head text={responseHead} />
            <p class="muted">
              Content: {bytes(response.bodyBytes)}. The connection adds Date, Server, and what frames the content.
              {response.reason !== '' && ` This server answered itself: ${response.reason}.`}
            </p>
          </>
        )}
      </section>
      <section class="card" aria-labelledby="start-response-title">
        <h2 id="start-response-title">start_response</h2>
        <p class="muted">
          An application calls it with status and headers before its content (PEP 3333). gunicorn, uWSGI and mod_wsgi
          give it the same function.
        </p>
        {startResponse.length === 0 && <p>No call is known.</p>}
        {startResponse.map((call, index) => (
          <div key={index} class="call">
            <p>
              <b>{call.caller}</b> called it with <code>{call.status}</code>
              {call.hasExcInfo && ' and exc_info, after an error'}
            </p>
            <Fields fields={call.headers} label={`Headers of ${call.caller}`} />
          </div>
        ))}
      </section>
    </div>
  );
}

function Head({ text }: { readonly text: string }) {
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
      <pre tabIndex={0}>{text}</pre>
      <p class="buttons">
        <CopyButton text={text} label="Copy head" />
      </p>
    </>
  );
}

function headOf(first: string, headers: readonly (readonly [string, string])[]): string {
  return [first, ...headers.map(([name, value]) => `${name}: ${value}`), ''].join('\n');
}
