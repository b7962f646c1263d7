import { preference, setPreference } from './preferences.ts';

/** How editors are opened at a line. `{file}` is an absolute path. */
export const EDITORS: Readonly<Record<string, string>> = {
  'VS Code': 'vscode://file{file}:{line}',
  VSCodium: 'vscodium://file{file}:{line}',
  Cursor: 'cursor://file{file}:{line}',
  Zed: 'zed://file{file}:{line}',
  PyCharm: 'pycharm://open?file={file}&line={line}',
  IDEA: 'idea://open?file={file}&line={line}',
  'Sublime Text': 'subl://open?url=file://{file}&line={line}',
  TextMate: 'txmt://open?url=file://{file}&line={line}',
  Emacs: 'emacs://open?url=file://{file}&line={line}',
  none: '',
};

export function editor(): string {
  const name = preference('editor', 'VS Code');
  return name in EDITORS ? name : 'VS Code';
}

export function setEditor(name: string): void {
  setPreference('editor', name);
  window.dispatchEvent(new Event('viaduct-editor'));
}

/** The link that opens a file in the chosen editor; '' if there is none. Only absolute paths: other texts are not names of files. */
export function editorLink(file: string, line: number): string {
  const form = EDITORS[editor()] ?? '';
  if (form === '' || !file.startsWith('/')) return '';
  return form.replace('{file}', encodeURI(file).replace(/[?#&]/g, encodeURIComponent)).replace('{line}', String(line));
}
