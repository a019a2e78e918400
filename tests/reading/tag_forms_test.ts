import { strict as assert } from "node:assert";
import { TAG_FORMS, type TagForm } from "../../lib/reading/tag_forms.ts";
import { readTag } from "../../lib/reading/tag_text.ts";

const isKnown = (program: string) => program === "sshd";
const programIn = ({ groups }: RegExpExecArray) => groups?.name ?? groups?.bracketed ?? null;

const fits = ({ source, only }: TagForm, text: string) => {
  const match = new RegExp(`^${source}`).exec(text);
  return match !== null && (only !== "known" || isKnown(programIn(match)!));
};

Deno.test("every form of tags reads its own sample at each of its places, and no other form does before it", () => {
  for (const { sample, at, source } of TAG_FORMS) {
    for (const place of at) {
      const time = place === "start" ? null : { isIso: place === "iso" };
      const tag = readTag(`${sample}Invalid user x`, { time, isBehindTag: place === "tag", isKnown });
      assert.equal(TAG_FORMS.find((form) => form.at.includes(place) && fits(form, sample))!.sample, sample);
      const match = new RegExp(`^${source}`).exec(sample)!;
      assert.deepEqual([tag?.length, tag?.identifier], [match[0].length, programIn(match)], sample);
    }
  }
});

Deno.test("no form of tags fits its near miss", () => {
  for (const form of TAG_FORMS) assert(!fits(form, form.nearMiss), form.nearMiss);
});

Deno.test("`readTag()` takes a sender in brackets for a host, though metalog writes programs so", () => {
  const read = (text: string) => {
    const { host, identifier } = readTag(text, { time: { isIso: false }, isKnown })!;
    return [host, identifier];
  };
  assert.deepEqual(read("web [192.0.2.1] cron: x"), ["web [192.0.2.1]", "cron"]);
  assert.deepEqual(read("web [192.0.2.1] sshd: x"), ["web [192.0.2.1]", "sshd"]);
  assert.deepEqual(read("web sshd cron: x"), ["web", "sshd"]);
  assert.deepEqual(read("web [192.0.2.1] x"), ["web", "192.0.2.1"]);
});

Deno.test("`readTag()` takes no level before an object for a collector's tag", () => {
  const isEnvelope = (text: string) =>
    /envelope$/.test(readTag(text, { time: { isIso: true }, isKnown })?.kind ?? "");
  for (const gap of [": ", "\t"]) {
    assert(isEnvelope(`app.log${gap}{"a":"b"}`));
    for (const level of ["error", "Warning", "debug1"]) {
      assert(!isEnvelope(`${level}${gap}{"a":"b"}`));
    }
  }
});
