import { useState } from 'preact/hooks';
import type { EnvironItem } from '../../src/trace/document.ts';
import { Fields } from '../parts/fields.tsx';
import { Empty } from '../parts/notices.tsx';

const GROUPS: readonly (readonly [EnvironItem['group'], string, string])[] = [
  ['request', 'Request', 'What the client asked for: CGI variables, and its headers as HTTP_….'],
  ['server', 'Server', 'Where the server is and which protocol it speaks.'],
  [
    'wsgi',
    'WSGI',
    'What PEP 3333 adds: the content as a file, the log for errors, whether threads or processes share the application.',
  ],
  ['process', 'Process', 'The environment of the worker process, which all its requests share.'],
];

/** The environ as the application got it, in the groups of PEP 3333. */
export function EnvironTab({ environ }: { readonly environ: readonly EnvironItem[] | null }) {
  const [text, setText] = useState('');
  if (environ === null)
    return (
      <Empty title="The environ is not known">Python did not get this request, or the trace has stages only.</Empty>
    );
  const wanted = text.toLowerCase();
  const found = environ.filter(({ name, value }) => `${name}\n${value}`.toLowerCase().includes(wanted));
  return (
    <>
      <p class="explanation">
        environ is the dict with which a server calls a WSGI application: everything about one request is in it.
        gunicorn, uWSGI and mod_wsgi make the same dict, with a few variables of their own.
      </p>
      <label class="search">
        <span class="hidden">Search environ</span>
        <input
          type="search"
          value={text}
          placeholder="Search names and values"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <div class="two">
        {GROUPS.map(([group, title, help]) => {
          const items = found.filter((each) => each.group === group);
          return (
            items.length > 0 && (
              <section key={group} class="card" aria-labelledby={`environ-${group}`}>
                <h2 id={`environ-${group}`}>
                  {title} <span class="count">{items.length}</span>
                </h2>
                <p class="muted">{help}</p>
                <Fields fields={items.map(({ name, value }) => [name, value])} label={title} />
              </section>
            )
          );
        })}
      </div>
      {found.length === 0 && <p class="muted">No variable matches.</p>}
    </>
  );
}
