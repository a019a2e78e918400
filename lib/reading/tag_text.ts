/**
 * Tags at the starts of texts, by the table of their forms. In: text that begins with a tag. Out: the
 * tag's values and its length in characters. A tab counts as a blank.
 */
import type { Stamp } from "../core/stamp.ts";
import { unixStamp } from "../core/timestamp.ts";
import type { TimePart } from "./head_text.ts";
import { withBlanks } from "./line_time.ts";
import { type Kind, type Place, TAG_FORMS, type TagForm } from "./tag_forms.ts";

/** Host, program and process at the start of a text, and the text that ends them. */
export interface TagPart {
  /** Up to two words before the program; "" if there are none. */
  readonly host: string;
  /** Null: only facility and level. "": RFC 5424 says that there is no program. */
  readonly identifier: string | null;
  readonly pid: number | null;
  /** Texts before the process, or before the place where it would be, and behind it. */
  readonly before: string;
  readonly after: string;
  readonly kind: Kind;
  /** Time in the tag. */
  readonly stamp: Stamp | null;
  readonly length: number;
}

/** What precedes a tag, and which names are programs of modules. */
export interface TagPlace {
  /** Null: no time. */
  readonly time: Pick<TimePart, "isIso"> | null;
  /** Whether another tag precedes: this one must name a known program. */
  readonly isBehindTag?: boolean;
  /** Default: none is. */
  readonly isKnown?: (program: string) => boolean;
}

/** The forms of each place, with their expressions. */
const FORMS_AT = Object.fromEntries((["start", "syslog", "iso", "tag"] as const).map((place) => [
  place,
  TAG_FORMS.filter(({ at }) => at.includes(place)).map((form) => ({
    ...form,
    expression: new RegExp(`^${form.source}`),
    isRaw: form.source.includes("\\t"),
  })),
]));
/**
 * Sequence number or time that Solaris and kernels write before a message, and library and subsystem
 * of macOS's `log show`.
 */
const DECORATION =
  /^(?:\[ID \d+ [\w.]+\] |kernel: ?\[ *\d+\.\d+\]:? |(?:\(lib[\w.+-]+\.dylib\) )?\[com(?:\.[\w-]+)+:[\w.-]+\] |\(lib[\w.+-]+\.dylib\) )/;

/** Reads the tag at the start of `given`; null if there is none. */
export function readTag(
  given: string,
  { time, isBehindTag = false, isKnown = () => false }: TagPlace,
): TagPart | null {
  const text = withBlanks(given);
  const place: Place = isBehindTag ? "tag" : time === null ? "start" : time.isIso ? "iso" : "syslog";
  let doubtful: TagPart | null = null;
  for (const form of FORMS_AT[place]!) {
    const { expression, only, isRaw } = form;
    const match = expression.exec(isRaw ? given : text);
    if (match === null) continue;
    // Only the name of a known program is better than a doubtful one.
    if (only === "known" ? !isKnown(programIn(match)!) : doubtful !== null) continue;
    const tag = tagPart(given, match, form);
    if (only !== "last" && !mayBeMessage(match, isKnown)) return tag;
    doubtful ??= tag;
  }
  return doubtful;
}

function tagPart(given: string, match: RegExpExecArray, { kind = "plain" }: TagForm): TagPart {
  const { host = "", before = "", pid = "", after = "", time } = match.groups ?? {};
  const program = programIn(match);
  const end = match[0].length;
  const decoration = program === undefined ? null : DECORATION.exec(match.input.slice(end));
  const length = end + (decoration?.[0].length ?? 0);
  return {
    host: host.trimEnd(),
    identifier: kind === "structured" && program === "-" ? "" : program ?? null,
    pid: pid === "" ? null : Number(pid),
    before: given.slice(0, before.length),
    after: given.slice(end - after.length, length),
    kind,
    stamp: time === undefined ? null : unixStamp(time),
    length,
  };
}

function programIn({ groups }: RegExpExecArray): string | undefined {
  return groups?.name ?? groups?.bracketed;
}

/** Reports whether a known program may be the second host: `web sshd PAM: Authentication failure`. */
function mayBeMessage({ groups }: RegExpExecArray, isKnown: (program: string) => boolean): boolean {
  const { host = "", name, pid } = groups ?? {};
  return pid === undefined && / \S/.test(host) && name !== undefined && name !== "kernel" && !isKnown(name);
}
