/** What a person chose, kept in this browser. Without storage, such as in a file or a strict browser, a choice holds for this page. */
const held = new Map<string, string>();

export function preference(name: string, fallback: string): string {
  try {
    return localStorage.getItem(`viaduct.${name}`) ?? held.get(name) ?? fallback;
  } catch {
    return held.get(name) ?? fallback;
  }
}

export function setPreference(name: string, value: string): void {
  held.set(name, value);
  try {
    localStorage.setItem(`viaduct.${name}`, value);
  } catch {
    // It holds for this page.
  }
}
