/** Takes the file that is dropped on a label, or chosen with the file input in it. */
export function acceptFiles(label: HTMLElement, take: (file: File) => void): void {
  const input = label.querySelector('input')!;
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file) take(file);
    input.value = ''; // so that the same file may be chosen again
  });
  const highlight = (on: boolean) => (event: Event) => {
    event.preventDefault();
    label.classList.toggle('over', on);
  };
  label.addEventListener('dragover', highlight(true));
  label.addEventListener('dragleave', highlight(false));
  label.addEventListener('drop', (event) => {
    highlight(false)(event);
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}
