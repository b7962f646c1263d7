/** The style of the bar. It is a text of the script, because a page's policy may forbid further style sheets. */
export const BAR_STYLE = `
:host { all: initial; position: fixed; inset: auto 0 0 auto; z-index: 2147483647; }
@media print { :host { display: none; } }
.bar {
  display: flex; align-items: center; gap: 12px; margin: 0 12px 12px; padding: 0 6px 0 12px; height: 34px; border-radius: 8px;
  background: #10151b; color: #e7ebf1; box-shadow: 0 2px 12px #0006; font: 12px/1 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; white-space: nowrap;
}
.facts { display: flex; gap: 12px; }
.facts span { color: #a0abba; }
.facts .strong { color: #e7ebf1; font-weight: 650; }
.facts .bad { color: #ff9d94; font-weight: 650; }
.link { color: #5cd0c0; font-weight: 650; text-decoration: none; }
.link:hover { text-decoration: underline; }
.put {
  width: 24px; height: 24px; border: 0; border-radius: 5px; background: none; color: #a0abba; font: 14px/1 system-ui, sans-serif; cursor: pointer;
}
.put:hover { background: #2a3440; color: #e7ebf1; }
.link:focus-visible, .put:focus-visible { outline: 2px solid #5cd0c0; outline-offset: 2px; }
.hidden { padding: 0 5px; }
.hidden .link, .hidden .facts { display: none; }
.hidden .put { color: #5cd0c0; font-weight: 700; }
@media (max-width: 620px) { .facts span:not(.strong, .bad) { display: none; } }
`;
