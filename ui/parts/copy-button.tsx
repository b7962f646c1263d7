import { useState } from 'preact/hooks';

const SHOWN_MS = 1500;

/** Copies a text. What it says afterwards is announced. */
export function CopyButton({
  text,
  label = 'Copy',
  small = true,
}: {
  readonly text: string;
  readonly label?: string;
  readonly small?: boolean;
}) {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    const copied = await navigator.clipboard.writeText(text).then(
      () => 'Copied',
      () => 'Not allowed',
    );
    setSaid(copied);
    setTimeout(() => setSaid(''), SHOWN_MS);
  };
  return (
    <button type="button" class={small ? 'button small' : 'button'} onClick={copy}>
      <span aria-live="polite">{said === '' ? label : said}</span>
    </button>
  );
}
