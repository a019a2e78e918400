import { strict as assert } from "node:assert";
import { Markup, markup } from "../../../lib/commands/report/markup.ts";

Deno.test("`markup` escapes text for markup and for whoever reads it, and leaves markup as it is", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["<b> & \"'", "&lt;b&gt; &amp; &quot;&#39;"],
    ["\x1b[31m\u202e", "\\x1b[31m\\u{202e}"],
    ["&lt;", "&amp;lt;"],
    ["שלום", "שלום"],
  ];
  for (const [text, escaped] of cases) {
    assert.equal(markup`<p title="${text}">${text}</p>`.text, `<p title="${escaped}">${escaped}</p>`);
  }
  assert.equal(markup`${markup`<b>${"<"}</b>`}${[markup`<i>`, null, false, 7]}`.text, "<b>&lt;</b><i>7");
});

Deno.test("`markup` leaves out the lines and indents of a template, but not those of its values", () => {
  const made = markup`
    <p
      class="a"
    >
      Two
      words: ${"one\ntwo"}
    </p>
    ${new Markup("<pre>\n a</pre>")}
  `;
  assert.equal(made.text, '<p class="a" > Two words: one\\x0atwo</p><pre>\n a</pre>');
});
