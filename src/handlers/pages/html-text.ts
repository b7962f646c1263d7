/** `text` for the content or a quoted attribute of HTML. */
export function htmlText(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
