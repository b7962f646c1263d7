import { render } from 'preact';
import type { TraceDocument } from '../src/trace/document.ts';
import { Anatomy } from './anatomy/anatomy.tsx';
import { AnatomyPage } from './anatomy/anatomy-page.tsx';
import { ComparePage } from './compare/compare-page.tsx';
import { DashboardPage } from './dashboard/dashboard-page.tsx';
import { EXPORTED_TEXT, FAILED_ID, IS_EXPORT } from './data/context.ts';
import { applyTheme } from './data/theme.ts';
import { ErrorsPage } from './errors/errors-page.tsx';
import { showFailure } from './failure/failure-page.tsx';
import { Frame } from './frame.tsx';
import { Empty, Problem } from './parts/notices.tsx';
import { RequestsPage } from './requests/requests-page.tsx';
import { type Page, pageOf, usePath } from './router.ts';

applyTheme();
const root = document.getElementById('app');
if (root !== null && FAILED_ID !== '') void showFailure(root, FAILED_ID);
else if (root !== null) render(IS_EXPORT ? <Exported /> : <App />, root);

function App() {
  const path = usePath();
  return (
    <Frame path={path}>
      <Shown page={pageOf(path)} />
    </Frame>
  );
}

function Shown({ page }: { readonly page: Page }) {
  switch (page.name) {
    case 'dashboard':
      return <DashboardPage />;
    case 'requests':
      return <RequestsPage />;
    case 'errors':
      return <ErrorsPage />;
    case 'anatomy':
      return <AnatomyPage id={page.id} />;
    case 'compare':
      return <ComparePage left={page.left} right={page.right} />;
    case 'unknown':
      return (
        <Empty isPage title="There is no such page">
          {page.path} leads nowhere. The pages are named above.
        </Empty>
      );
  }
}

/** A file with one trace in it. */
function Exported() {
  return (
    <Frame path="">
      <ExportedTrace />
    </Frame>
  );
}

function ExportedTrace() {
  try {
    return <Anatomy document={JSON.parse(EXPORTED_TEXT) as TraceDocument} />;
  } catch (error) {
    return <Problem message={`Cannot read the trace in this file: ${(error as Error).message}`} />;
  }
}
