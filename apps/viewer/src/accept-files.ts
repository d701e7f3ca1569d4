/** Files that a person gives a page. */
type Files = readonly [File, ...File[]];

export function acceptFiles(label: HTMLElement, take: (files: Files) => void): void {
  const takeAll = (list: FileList | null | undefined): void => {
    const [first, ...others] = list ?? [];
    if (first) take([first, ...others]);
  };
  const input = label.querySelector('input')!;
  input.addEventListener('change', () => {
    takeAll(input.files);
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
    takeAll(event.dataTransfer?.files);
  });
}
