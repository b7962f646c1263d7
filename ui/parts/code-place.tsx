import { useEffect, useState } from 'preact/hooks';
import { editorLink } from '../data/editor.ts';
import { shortPath } from '../model/format.ts';

/** A file and a line, as a link that opens the reader's editor. */
export function CodePlace({ file, line }: { readonly file: string; readonly line: number }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const update = (): void => redraw((count) => count + 1);
    window.addEventListener('viaduct-editor', update);
    return () => window.removeEventListener('viaduct-editor', update);
  }, []);
  if (file === '') return null;
  const text = `${shortPath(file)}${line > 0 ? `:${line}` : ''}`;
  const href = editorLink(file, line);
  return href === '' ? (
    <code class="place" title={file}>
      {text}
    </code>
  ) : (
    <a class="place" href={href} title={`Open ${file}:${line} in the editor`}>
      {text}
    </a>
  );
}
