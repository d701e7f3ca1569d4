import { html, jsonScript } from './html';

describe('html', () => {
  it('takes values as text and markup as markup, also in lists', () => {
    const cells = ['<b>', 'a & "b"'].map((text) => html`<td title="${text}">${text}</td>`);
    expect(html`${cells}${1}${undefined}`.markup).toBe(
      '<td title="&lt;b&gt;">&lt;b&gt;</td><td title="a &amp; &quot;b&quot;">a &amp; &quot;b&quot;</td>1',
    );
  });

  it('keeps data inside its element', () => {
    const { markup } = jsonScript({ name: '</script><script>alert(1)</script>' });
    expect(markup.match(/<\/?script/g)).toHaveLength(2);
    expect(JSON.parse(/>(.*)<\/script>$/.exec(markup)![1]!)).toEqual({ name: '</script><script>alert(1)</script>' });
  });
});
