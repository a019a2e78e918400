import { strict as assert } from "node:assert";
import { readTag, TAG_FORMS, type TagForm } from "../../lib/reading/tag_forms.ts";

const isKnown = (program: string) => program === "sshd";
const programIn = ({ groups }: RegExpExecArray) => groups?.name ?? groups?.bracketed ?? null;

Deno.test("every form of tags reads its own sample at each of its places, and no other form does before it", () => {
  for (const { sample, at, source, flags } of TAG_FORMS) {
    for (const place of at) {
      const time = place === "start" ? null : { isIso: place === "iso" };
      const tag = readTag(`${sample}Invalid user x`, { time, isBehindTag: place === "tag", isKnown });
      const fits = ({ source, flags, isKnown: mustBeKnown }: TagForm) => {
        const match = new RegExp(`^${source}`, flags).exec(sample);
        return match !== null && (!mustBeKnown || isKnown(programIn(match)!));
      };
      assert.equal(TAG_FORMS.find((form) => form.at.includes(place) && fits(form))!.sample, sample);
      const match = new RegExp(`^${source}`, flags).exec(sample)!;
      assert.deepEqual([tag?.length, tag?.identifier], [match[0].length, programIn(match)], sample);
    }
  }
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
  const envelopeOf = (text: string) => readTag(text, { time: { isIso: true }, isKnown })?.envelope ?? null;
  for (const gap of [": ", "\t"]) {
    assert.notEqual(envelopeOf(`app.log${gap}{"a":"b"}`), null);
    for (const level of ["error", "Warning", "debug1"]) {
      assert.equal(envelopeOf(`${level}${gap}{"a":"b"}`), null);
    }
  }
});
