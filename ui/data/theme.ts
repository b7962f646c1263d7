import { preference, setPreference } from './preferences.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export function theme(): Theme {
  return THEMES.find((each) => each === preference('theme', 'system')) ?? 'system';
}

/** Sets the attribute that the style sheet looks at. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme();
}

export function setTheme(to: Theme): void {
  setPreference('theme', to);
  applyTheme();
  window.dispatchEvent(new Event('viaduct-theme'));
}
