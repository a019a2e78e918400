import { strict as assert } from "node:assert";
import { LOCAL_DAY, localMonth } from "../../lib/core/local_names.ts";

Deno.test("`localMonth()` knows the months of many languages, with a point or without", () => {
  const languages = [
    "jan feb mär apr mai jun jul aug sep okt nov dez",
    "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "ene feb mar abr may jun jul ago sep oct nov dic",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "led úno bře dub kvě čen čec srp zář říj lis pro",
    "янв фев мар апр мая июн июл авг сен окт ноя дек",
    "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
  ];
  for (const names of languages) {
    const numbers = names.split(" ").map(localMonth);
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], names);
  }
});

Deno.test("`localMonth()` knows no other words", () => {
  for (const word of ["", "ma", "marz", "mon", "foo", "constructor", "13", "3"]) {
    assert.equal(localMonth(word), null, word);
  }
});

Deno.test("`LOCAL_DAY` is a day before a date alone", () => {
  for (const day of ["Mo", "lun.", "mié", "СР", "月"]) assert(LOCAL_DAY.test(`${day} 2026-03-09 04:05`), day);
  for (const text of ["Mo 2026", "Mox 2026-03-09 04:05", "Mo, 2026-03-09 04:05", "by 2026-03-09 04:05"]) {
    assert(!LOCAL_DAY.test(text), text);
  }
});
