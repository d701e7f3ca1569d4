/** HTML written as template literals in which every value is text unless it is HTML already. */

/** Markup that needs no escaping. */
export class Html {
  constructor(readonly markup: string) {}
}

/** What a template may hold: text, numbers, markup, and lists of those; nothing for undefined. */
export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/** `` html`<td>${name}</td>` ``: text is escaped, markup is taken as it is. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? markupOf(values[i]) : '')).join(''));
}

/** A value inside `<script type="application/json">`, where nothing may end the element. */
export function jsonScript(value: unknown): Html {
  const text = JSON.stringify(value).replaceAll('<', '\\u003c');
  return new Html(`<script type="application/json">${text}</script>`);
}

function markupOf(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string') return escape(value);
  return typeof value === 'number' ? String(value) : value.map(markupOf).join('');
}

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPED[character] as string);
