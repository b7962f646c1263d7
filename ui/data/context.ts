/** Where these pages are served: the path before all of theirs, such as `/__viaduct`; '' at the root. */
export const PREFIX: string = (
  document.querySelector<HTMLMetaElement>('meta[name="viaduct-prefix"]')?.content ?? ''
).replace(/\/$/, '');

const exported = document.getElementById('viaduct-trace');

/** Whether the page is an exported file with one trace in it: then it makes no request. */
export const IS_EXPORT: boolean = exported !== null;

/** The JSON of the trace in an exported file; '' without one. */
export const EXPORTED_TEXT: string = exported?.textContent ?? '';
