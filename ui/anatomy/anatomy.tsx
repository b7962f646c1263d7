import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { TraceDocument } from '../../src/trace/document.ts';
import { changesByHop } from '../model/header-changes.ts';
import { type Tab, Tabs } from '../parts/tabs.tsx';
import { EnvironTab } from './environ-tab.tsx';
import { ExceptionTab } from './exception-tab.tsx';
import { Findings } from './findings.tsx';
import { HeadersTab } from './headers-tab.tsx';
import { MessageTab } from './message-tab.tsx';
import { ProfileTab } from './profile-tab.tsx';
import { QueriesTab } from './queries-tab.tsx';
import { RouteTab } from './route-tab.tsx';
import { Summary } from './summary.tsx';
import { Times } from './times.tsx';
import { WaterfallTab } from './waterfall-tab.tsx';

interface AnatomyProps {
  readonly document: TraceDocument;
  /** Whether it stands below the exception, which it leaves out then. */
  readonly isBelow?: boolean;
}

/** One request, taken apart. */
export function Anatomy({ document: trace, isBelow = false }: AnatomyProps) {
  const tabs = tabsOf(trace).filter(({ id }) => !isBelow || id !== 'exception');
  const [current, setCurrent] = useState(() => tabNamed(tabs, location.hash.slice(1)));
  const [span, setSpan] = useState(-1);
  useEffect(() => {
    if (isBelow) return;
    document.title = `${trace.request.method} ${trace.request.target} – Viaduct`;
    return () => {
      document.title = 'Viaduct';
    };
  }, [trace, isBelow]);
  const choose = (id: string): void => {
    setCurrent(id);
    history.replaceState(history.state, '', `#${id}`);
  };
  const show = (tab: string, index: number): void => {
    choose(tab);
    if (index >= 0) setSpan(index);
    document.getElementById(`tab-${tab}`)?.focus();
  };
  return (
    <article class="page anatomy">
      <Summary document={trace} isBelow={isBelow} />
      {trace.missing.length > 0 && (
        <section class="notice tone-warn" aria-label="What is not known">
          <ul>
            {trace.missing.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </section>
      )}
      <div class="overview">
        <Times document={trace} />
        <Findings document={trace} isBelow={isBelow} onShow={show} />
      </div>
      <Tabs label="Parts of the request" tabs={tabs} current={current} onChoose={choose}>
        {panel(current, trace, span, setSpan)}
      </Tabs>
    </article>
  );
}

function panel(tab: string, trace: TraceDocument, span: number, setSpan: (index: number) => void): ComponentChildren {
  switch (tab) {
    case 'message':
      return <MessageTab document={trace} />;
    case 'route':
      return <RouteTab document={trace} />;
    case 'environ':
      return <EnvironTab environ={trace.environ} />;
    case 'headers':
      return <HeadersTab hops={trace.hops} />;
    case 'queries':
      return <QueriesTab document={trace} />;
    case 'exception':
      return <ExceptionTab exception={trace.exception} />;
    case 'profile':
      return <ProfileTab profile={trace.profile} />;
    default:
      return <WaterfallTab document={trace} selected={span} onSelect={setSpan} />;
  }
}

function tabsOf(trace: TraceDocument): readonly Tab[] {
  const { spans, environ, hops, queries, exception, profile } = trace;
  const changes = changesByHop(hops).reduce((sum, each) => sum + each.changes.length, 0);
  const queryTone = queries.nPlusOne.length > 0 ? ('warn' as const) : undefined;
  return [
    ...(exception === null ? [] : [{ id: 'exception', title: 'Exception', count: -1, tone: 'bad' as const }]),
    { id: 'waterfall', title: 'Waterfall', count: spans.length },
    { id: 'queries', title: 'Queries', count: queries.count, tone: queryTone },
    { id: 'headers', title: 'Header changes', count: changes },
    { id: 'message', title: 'Request & response', count: -1 },
    { id: 'route', title: 'Route', count: -1 },
    { id: 'environ', title: 'environ', count: environ?.length ?? -1 },
    { id: 'profile', title: 'Profile', count: profile?.stacks.reduce((sum, { samples }) => sum + samples, 0) ?? -1 },
  ];
}

function tabNamed(tabs: readonly Tab[], name: string): string {
  return (tabs.find(({ id }) => id === name) ?? (tabs[0] as Tab)).id;
}
