import { useState } from 'preact/hooks';
import type { TraceDocument } from '../../src/trace/document.ts';
import { downloadUrl, getLastGood, replay } from '../data/api.ts';
import { IS_EXPORT } from '../data/context.ts';
import { EDITORS, editor, setEditor } from '../data/editor.ts';
import { clock, duration } from '../model/format.ts';
import { Method, Status, whyKept } from '../parts/badges.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Problem } from '../parts/notices.tsx';
import { anatomyPath, comparePath, navigate } from '../router.ts';

/** RFC 9110 section 9.2.1. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What the request was, and what can be done with its trace. */
export function Summary({ document, isBelow }: { readonly document: TraceDocument; readonly isBelow: boolean }) {
  const Heading = isBelow ? 'h2' : 'h1';
  const { id, request, response, durationUs, state } = document;
  return (
    <header class="summary">
      <div class="summary-line">
        <Status status={response?.status ?? 0} />
        <Heading class="summary-title">
          <Method method={request.method} /> <span class="target">{request.target}</span>
        </Heading>
        <span class="summary-time">{durationUs === null ? state : duration(durationUs)}</span>
      </div>
      <dl class="facts">
        {factsOf(document).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>Request id</dt>
          <dd class="mono">{id}</dd>
        </div>
      </dl>
      <Actions document={document} />
    </header>
  );
}

function factsOf({ request, route, application, startedAt, kept, detail }: TraceDocument): [string, string][] {
  const facts: [string, string][] = [
    ['Host', `${request.scheme}://${request.host}`],
    ['Route', route?.name || 'none'],
  ];
  if (application !== null) {
    const { name, worker, thread } = application;
    facts.push([
      'Application',
      [name, worker === 0 ? '' : `worker ${worker}`, thread].filter((part) => part !== '').join(', '),
    ]);
  }
  facts.push(
    ['Client', `${request.client === '' ? 'a Unix socket' : request.client} by ${request.protocol}`],
    ['Started', `${clock(startedAt)}, ${startedAt.slice(0, 10)}`],
    ['Kept because', `${whyKept(kept)}${detail === 'stages' ? '; stages only' : ''}`],
  );
  return facts;
}

function Actions({ document }: { readonly document: TraceDocument }) {
  const { id, request } = document;
  const [problem, setProblem] = useState('');
  const [asks, setAsks] = useState(false);
  const report = (error: Error): void => setProblem(error.message);
  const send = (confirmed: boolean): void => {
    setProblem('');
    replay(id, confirmed).then((made) => navigate(anatomyPath(made.id)), report);
  };
  const compare = (): void => {
    setProblem('');
    getLastGood(id).then((good) => navigate(comparePath(good.id, id)), report);
  };
  return (
    <>
      <div class="actions">
        {!IS_EXPORT && (
          <>
            <button type="button" class="button" onClick={compare}>
              Compare with the last good one
            </button>
            <button
              type="button"
              class="button"
              onClick={() => (SAFE.has(request.method) ? send(false) : setAsks(true))}
            >
              Replay
            </button>
            <a class="button" href={downloadUrl(id, 'har')} download={`${id}.har`}>
              Save HAR
            </a>
            <a class="button" href={downloadUrl(id, 'export')} download={`${id}.html`}>
              Save HTML
            </a>
          </>
        )}
        <CopyButton text={curlOf(document)} label="Copy as curl" small={false} />
        <span class="grow" />
        <EditorChoice />
      </div>
      {problem !== '' && <Problem message={problem} />}
      {asks && (
        <Confirm
          title={`Send this ${request.method} again?`}
          action={`Send ${request.method}`}
          onAnswer={(agreed) => {
            setAsks(false);
            if (agreed) send(true);
          }}
        >
          {request.method} may change data: an order could be placed twice. The application gets the same request.
        </Confirm>
      )}
    </>
  );
}

function EditorChoice() {
  const [chosen, choose] = useState(editor());
  return (
    <label class="editor">
      <span class="muted">Open files in</span>
      <select
        value={chosen}
        onChange={({ currentTarget }) => {
          setEditor(currentTarget.value);
          choose(currentTarget.value);
        }}
      >
        {Object.keys(EDITORS).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

/** Fields that curl makes itself. */
const CURL_OWN = new Set(['host', 'content-length', 'connection', 'transfer-encoding']);

/** The request as a command, without its content and its secrets. */
function curlOf({ request }: TraceDocument): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const fields = request.headers.filter(([name, value]) => !CURL_OWN.has(name.toLowerCase()) && value !== '[redacted]');
  const method = request.method === 'GET' ? [] : ['-X', quoted(request.method)];
  const flags = fields.flatMap(([name, value]) => ['-H', quoted(`${name}: ${value}`)]);
  return ['curl', ...method, ...flags, quoted(`${request.scheme}://${request.host}${request.target}`)].join(' ');
}
