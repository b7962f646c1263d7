import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface ConfirmProps {
  readonly title: string;
  readonly action: string;
  readonly onAnswer: (agreed: boolean) => void;
  readonly children: ComponentChildren;
}

/** Asks before something that cannot be taken back. Escape says no; the focus starts there. */
export function Confirm({ title, action, onAnswer, children }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={() => onAnswer(false)}>
      <h2 id="dialog-title">{title}</h2>
      <p>{children}</p>
      <div class="actions">
        <button type="button" class="button" onClick={() => onAnswer(false)}>
          Cancel
        </button>
        <button type="button" class="button danger" onClick={() => onAnswer(true)}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
