/** Elements in one call each. */

type Content = Node | string | undefined;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** `make('button', { type: 'button' }, 'Close')`; attributes that are undefined or false are left out. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  fill(element, attributes, content);
  return element;
}

/** The same for SVG. */
export function makeSvg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...content: readonly Content[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  fill(element, attributes, content);
  return element;
}

/** An element of the page. @throws Error where index.html lacks it. */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html: expected an element #${id}`);
  return found as T;
}

/** A button with a word that is read out where it shows a sign. */
export function button(sign: string, name: string, act: () => void): HTMLButtonElement {
  const made = make('button', { type: 'button', 'aria-label': name, title: name }, sign);
  made.addEventListener('click', act);
  return made;
}

/** A table whose first cell of each row is its heading. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Content[])[]): HTMLElement {
  const head = make('tr', {}, ...columns.map((name) => make('th', { scope: 'col' }, name)));
  const body = rows.map(([first, ...others]) =>
    make('tr', {}, make('th', { scope: 'row' }, first), ...others.map((cell) => make('td', {}, cell))),
  );
  const made = make('table', {}, make('caption', {}, caption), make('thead', {}, head), make('tbody', {}, ...body));
  return make('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, made);
}

function fill(element: Element, attributes: Attributes, content: readonly Content[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...content.filter((part) => part !== undefined));
}
