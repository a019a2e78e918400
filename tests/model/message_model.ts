/** Messages of services, each form as one anchored regular expression. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { A_TIME, timeAtStart, timeOf } from "./head_model.ts";

/** What a message says. */
export interface Said {
  /** Canonical; null where it names nobody or leaves a doubt whom. */
  readonly address: string | null;
  readonly fields: Readonly<Record<string, string>>;
  /** Microseconds since the epoch, where the message itself tells; null for a date that does not exist. */
  readonly time?: number | null;
  /** 1: it counts once for all of a try; 2: never. */
  readonly counting?: number;
  /** What rules see in place of the message. */
  readonly meant?: string;
  /** Whether that depends on a zone: then a head knows better. */
  readonly isZoneless?: boolean;
}

/** Reads a message; null where it has no form that the service is known to use. */
export type Service = (message: string, now: number, pid?: number | null) => Said | null;

/** The one spelling of an address, without its zone; null for what is none. */
export function canonical(text: string): string | null {
  const bare = text.replace(/%.*$/s, "");
  if (isIP(bare) === 0) return null;
  const address = ipaddr.process(bare);
  if (address.kind() === "ipv4") return address.toString();
  // What is left of ::/96 but ::, ::1 and their like is the old ::a.b.c.d.
  const old = /^(?:0:){6}([0-9a-f]{3,4}):([0-9a-f]+)$/.exec((address as ipaddr.IPv6).toNormalizedString());
  if (old !== null) return canonical(`::ffff:${old[1]}:${old[2]}`);
  return (address as ipaddr.IPv6).toRFC5952String();
}

/** What services write before a time. */
const LEVEL =
  /^(?:\[?(?:debug|info|notice|warn(?:ing)?|error|crit(?:ical)?|alert|emerg|fatal)\]?:?|[DIWEF],|level=\w+|\[\d{1,7}\]|\d{1,7}:[A-Z]) */i;
const NOBODY: Said = { address: null, fields: {} };
/** Stands between an address and a point or colon of the sentence. No message holds it. */
const MARK = "\ue000";
const ELEMENTS: Readonly<Record<string, string>> = {
  // All that looks like an address, and no less: what is remembered is matched again without going
  // back.
  ADDR: `(?=(?<address>[0-9A-Fa-f:.]+(?:%[\\w.-]+)?))\\k<address>${MARK}?`,
  REST: ".*",
  PORT: "(?<port>\\d{1,5})",
  NUMBER: "\\d+",
  WORD: "\\w+",
  METHOD: "(?<method>[\\w/.@-]+)",
  // Blanks are those of ASCII.
  TOKEN: "[^ \\t-\\r]+",
  BLANKS: "[ \\t-\\r]+",
};

/** A template as a regular expression in which `<USER>` is `user`. */
function expressionOf(template: string, user: string): RegExp {
  const source = template.replace(
    /<(.*?)>(?=(?:\|?[^<{}]*\})?([^<{|}]*))|[{|}]|[^<{|}]+/g,
    (text, element?: string, behind = "") => {
      if (text === "{") return "(?:";
      if (text === "}") return ")";
      if (text === "|") return text;
      if (element === undefined) return literal(text);
      if (element === "USER") return user;
      if (element === "TEXT") return ".*";
      if (element.startsWith("REST WITHOUT ")) return `[^${element.slice("REST WITHOUT ".length)}]*`;
      const run = ELEMENTS[element.replace("?", "")]!;
      // Words end where the text behind them first stands.
      if (element === "WORDS") return `(?:(?!${literal(behind)})[\\w ])+`;
      return element.endsWith("?") ? run.replace("+", "*") : run;
    },
  );
  return new RegExp(`^(?:${source})$`, "s");
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]]/g, "\\$&");
}

/** A template as data: see `Template`. */
export interface TemplateText {
  readonly text: string;
  /** 1: somebody has logged in; 2: a connection has ended. */
  readonly says?: number;
  /** 1: such messages of one try count once. */
  readonly counting?: number;
  readonly name: string;
  readonly after?: { readonly name: string; readonly text: string };
}

/** sshd: the first template that fits counts. */
export function templateService(templates: readonly TemplateText[]): Service {
  const leads = templates.flatMap(({ after }) => after?.name ?? []);
  /** Processes that said what changes the meaning of their next message; 64 are remembered. */
  let processes: number[] = [];
  const all = templates.map(({ name, text, says, counting = 0, after }) => ({
    name,
    says,
    counting,
    after,
    needsPort: text.includes("<PORT>"),
    isAmbiguous: /<USER>.*<ADDR>.*<REST>/.test(text),
    longest: expressionOf(text, "(?<user>.*)"),
    shortest: expressionOf(text, "(?<user>.*?)"),
  }));
  const read: Service = (message, now, pid = null) => {
    const text = marked(message.replace(/^(?:error|fatal|info): /, "").trimEnd());
    for (const { name, says, counting, after, needsPort, isAmbiguous, longest, shortest } of all) {
      const found = longest.exec(text);
      if (!found) continue;
      const { address = "", ...fields } = found.groups ?? {};
      if (isAmbiguous && shortest.exec(text)!.groups!.user !== fields.user) return NOBODY;
      const isKnown = pid !== null && processes.includes(pid);
      if (pid !== null && leads.includes(name) && !isKnown) processes = [...processes, pid].slice(-64);
      if (after && isKnown) {
        processes[processes.indexOf(pid)] = -1;
        const port = fields.port === undefined ? "" : ` port ${fields.port}`;
        const meant = `${after.text} ${canonical(address)}${port}`;
        if (canonical(address) !== null) return { ...read(meant, now)!, meant };
      }
      if (says === 1) fields.login = fields.method!;
      const isOver = !needsPort || (fields.port !== undefined && !text.endsWith(" [preauth]"));
      if (says === 2 && isOver) fields.logout = "yes";
      for (const [name, text] of Object.entries(given(fields))) fields[name] = text.replaceAll(MARK, "");
      return { address: canonical(address), fields: given(fields), counting };
    }
    return null;
  };
  return read;
}

/** Marks where addresses end before a point or colon: `from 192.0.2.1: no`. */
function marked(text: string): string {
  return text.replace(
    /([0-9A-Fa-f:.]+)([.:])(?![0-9A-Fa-f:.])/g,
    (all, address: string, end: string) =>
      canonical(all) === null && canonical(address) !== null ? `${address}${MARK}${end}` : all,
  );
}

/** Fields without those that a message has not. */
export function given(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const IPV6 = "[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[\\w.-]+)?";
const ADDRESS = `(?<address>\\d+\\.\\d+\\.\\d+\\.\\d+|\\[${IPV6}\\]|${IPV6})`;

/**
 * A module of patterns, in which `«»` enclose what may be a stranger's text: however long that is,
 * the address stands at one place.
 */
export function patternService(patterns: readonly string[]): Service {
  const all = patterns.map((pattern) => {
    const compile = (source: string) =>
      new RegExp(
        source.replace("<TIME>", `(?<time>${A_TIME})`).replace(/^\^(.*)<ADDR>/, (_, before) =>
          `^(?<before>${before})${ADDRESS}`),
        "s",
      );
    return {
      expression: compile(pattern.replace(/[«»]/g, "")),
      others: [".*", ".*?"].map((free) => compile(pattern.replace(/«.*?»/g, free))),
      isOpen: /«.*<ADDR>/.test(pattern),
    };
  });
  return (message, now) => {
    for (const { expression, others, isOpen } of all) {
      const groups = expression.exec(message)?.groups;
      if (!groups) continue;
      const { address, before, time, ...fields } = groups as Record<string, string | undefined>;
      const found = others.map((other) => other.exec(message)!.groups!);
      const isSure = !isOpen || found.every((other) => other.before!.length === before!.length);
      const told = (time && found.every((other) => other.time === time) ? timeOf(time, now) : null) ??
        timeAtStart(message.replaceAll("\t", " ").replace(LEVEL, ""), now);
      const rest = message.slice(before!.length + address!.length);
      return {
        address: isSure && !goesOn(address!, rest) ? sentenceAddress(address!) : null,
        fields: given(fields),
        ...(told && { time: told.time, isZoneless: told.isZoneless }),
      };
    }
    return null;
  };
}

/** Whether an address is only how a host name or a longer address begins. */
function goesOn(address: string, rest: string): boolean {
  if (/^(?:[\w-]|[^\0-\x7f]|[.%]\w)/.test(rest)) return true;
  const longer = address + /^[0-9A-Fa-f:.]*/.exec(rest)![0];
  return longer !== address && address.includes(":") && sentenceAddress(longer) !== sentenceAddress(address);
}

/** The last point or colon may belong to the sentence. */
function sentenceAddress(text: string): string | null {
  return canonical(text) ?? canonical(text.replace(/[.:]$/, ""));
}
