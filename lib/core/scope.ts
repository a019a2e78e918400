import { Cache } from "./cache.ts";

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Some ports of one protocol. */
export interface PortScope {
  readonly protocol: "tcp" | "udp";
  /** Ascending, none touching another; empty: all ports of the protocol. */
  readonly ports: readonly PortRange[];
}

/** Traffic to one module's service, as the module's own firewall sees it behind a proxy. */
export interface ModuleScope {
  readonly module: string;
}

/** The traffic of an address that a ban cuts off. */
export type Scope = PacketScope | ModuleScope;
/** Packets that reach this machine. */
export type PacketScope = "all" | PortScope;

/** Beginning of a module scope's text. */
const MODULE_SCOPE = "module ";

const TEXT = /^(tcp|udp)(?: (\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*))?$/;
const MODULE_TEXT = /^module [\w.-]{1,64}$/;
const LAST_PORT = 65_535;
/** Most cached scopes: a state has few different ones, and very many bans. */
const MOST_KNOWN = 1_000;
const known = new Cache<string, Scope | null>(MOST_KNOWN);

/**
 * Reads `all`, `tcp`, a protocol with ports such as `tcp 22,8000-8010`, or `module NGINX`. Ports
 * may come in any order and overlap. Null if `text` is no scope.
 */
export function parseScope(text: string): Scope | null {
  return text === "all" ? text : known.of(text, read);
}

function read(text: string): Scope | null {
  if (MODULE_TEXT.test(text)) return { module: text.slice(MODULE_SCOPE.length) };
  const [, protocol, list] = TEXT.exec(text) ?? [];
  if (protocol !== "tcp" && protocol !== "udp") return null;
  const ranges = list === undefined ? [] : list.split(",").map((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return { first: first!, last: last! };
  });
  const isValid = ranges.every(({ first, last }) => first <= last && last <= LAST_PORT);
  return isValid ? { protocol, ports: merged(ranges) } : null;
}

function merged(ranges: readonly PortRange[]): PortRange[] {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else merged.push({ first, last });
  }
  return merged;
}

/** Returns the one spelling of a scope, which the state stores and `parseScope()` reads. */
export function formatScope(scope: Scope): string {
  if (scope === "all") return scope;
  if ("module" in scope) return MODULE_SCOPE + scope.module;
  const { protocol, ports } = scope;
  const list = ports.map(({ first, last }) => first === last ? String(first) : `${first}-${last}`);
  return list.length === 0 ? protocol : `${protocol} ${list.join()}`;
}

/** Reports whether a scope is of packets, not of a module's own firewall. */
export function isOfPackets(scope: Scope): scope is PacketScope {
  return scope === "all" || !("module" in scope);
}

/**
 * Returns the scope for another machine's ban on a machine where `modules` have their own
 * firewalls: a ban of a module without one cuts off everything.
 */
export function scopeAmong(modules: ReadonlySet<string>, scope: Scope): Scope {
  return whyWidened(modules, scope) === null ? scope : "all";
}

/** Returns why `scopeAmong()` returns everything for this scope; null: it does not. */
export function whyWidened(modules: ReadonlySet<string>, scope: Scope): string | null {
  if (isOfPackets(scope) || modules.has(scope.module)) return null;
  return `bans from everything, as ${scope.module} has no firewall of its own here`;
}

/** Reports whether `wide` cuts off all traffic that `narrow` cuts off. */
export function coversScope(wide: Scope, narrow: Scope): boolean {
  if (!isOfPackets(wide) || !isOfPackets(narrow)) return isSameScope(wide, narrow);
  if (wide === "all") return true;
  if (narrow === "all" || wide.protocol !== narrow.protocol) return false;
  if (wide.ports.length === 0) return true;
  return narrow.ports.length > 0 &&
    narrow.ports.every(({ first, last }) =>
      wide.ports.some((range) => range.first <= first && last <= range.last)
    );
}

/** Reports whether two scopes are the same. */
export function isSameScope(a: Scope, b: Scope): boolean {
  return a === b || formatScope(a) === formatScope(b);
}
