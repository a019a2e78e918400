import { NetworkSet } from "../core/address.ts";
import { addressOf } from "../core/address_reader.ts";
import type { LogEvent } from "../reading/event.ts";
import { fieldText } from "../reading/field_text.ts";
import { END, LOGIN } from "../reading/message_reader.ts";
import { NO_PID } from "../core/records.ts";
import type { Micros } from "../core/time.ts";

/** A connection on which somebody has logged in. */
export interface Session {
  /** Canonical. */
  readonly address: string;
  /** Of the client; 0 where the service does not tell. */
  readonly port: number;
  /** Of the process that serves it. */
  readonly pid: number | null;
  /** When it began. */
  readonly time: Micros;
}

/** A successful login. */
export interface Login {
  /** Canonical. */
  readonly address: string;
  /** How, in the service's word: `publickey`, `password`… */
  readonly method: string;
  readonly user: string;
  readonly time: Micros;
}

/** Somebody has logged in, or a connection has ended. */
export type LoginChange =
  | { readonly kind: "opened" } & Login & Session
  | { readonly kind: "closed"; readonly end: SessionEnd };

/** What changes have led to, as far as it is not stored. */
export interface LoginNews {
  /** The newest of each address and method. */
  readonly logins: readonly Login[];
  /** Sessions that are open. */
  readonly opened: readonly Session[];
  /** Stored ones that are open no longer. */
  readonly closed: readonly Session[];
}

/** Which session has ended: that of an address and port, or where the line names nobody, that of a process. */
export type SessionEnd =
  | Pick<Session, "address" | "port" | "time">
  | { readonly address: null; readonly pid: number; readonly time: Micros };

/** Whose successful logins are a reason not to ban. */
export interface TrustOptions {
  /** How long a login is one. */
  readonly span: Micros;
  /** Ways of logging in that put an address beyond bans, such as `publickey`. */
  readonly methods: ReadonlySet<string>;
  /** For whoever logged in any other way limits are so many times as high. */
  readonly factor: number;
}

/**
 * What an event tells of logins: somebody has logged in, or a connection has ended. Null where the event tells neither or
 * not whose connection, and for what any local user could have forged.
 */
export function loginChange({ reader, pid, time, isTrusted }: LogEvent): LoginChange | null {
  if (!isTrusted || (reader.says !== LOGIN && reader.says !== END)) return null;
  const address = addressOf(reader.address);
  if (address === null) {
    const isEnd = reader.says === END && pid !== NO_PID;
    return isEnd ? { kind: "closed", end: { address, pid, time } } : null;
  }
  const port = Number(fieldText(reader, "port") ?? "0");
  if (reader.says === END) return { kind: "closed", end: { address, port, time } };
  return {
    kind: "opened",
    address,
    port,
    time,
    pid: pid === NO_PID ? null : pid,
    user: fieldText(reader, "user") ?? "",
    method: fieldText(reader, "login") ?? "",
  };
}

/** Who has logged in lately, and who is logged in now. */
export class Logins {
  readonly #trust: TrustOptions | null;
  /** The newest of each method, by address. */
  readonly #logins = new Map<string, Map<string, Login>>();
  /** By `idOf()`. */
  readonly #sessions = new Map<string, Session>();
  /** The sessions that each process serves: one, but for processes of several machines or a log read out of order. */
  readonly #ofProcess = new Map<number, Set<string>>();
  /** What `takeNews()` has to tell; null where a session is over. */
  readonly #newLogins = new Map<string, Login>();
  readonly #newSessions = new Map<string, Session | null>();
  /** Sessions that it has told of. */
  readonly #stored = new Map<string, Session>();

  /** @param trust null: past logins count for nothing */
  constructor(trust: TrustOptions | null) {
    this.#trust = trust;
  }

  /** Takes over what is stored, in place of all that was known. */
  restore({ logins, sessions }: { logins: Iterable<Login>; sessions: Iterable<Session> }): void {
    this.#logins.clear();
    this.#sessions.clear();
    this.#ofProcess.clear();
    for (const login of logins) this.#keep(login);
    for (const session of sessions) this.#open(session);
    this.#newLogins.clear();
    this.#newSessions.clear();
    this.#stored.clear();
    for (const [id, session] of this.#sessions) this.#stored.set(id, session);
  }

  /** Takes note of changes; false where none changes anything, as when a connection ends on which nobody had logged in. */
  apply(changes: readonly LoginChange[]): boolean {
    let isNews = false;
    for (const change of changes) if (this.#apply(change)) isNews = true;
    return isNews;
  }

  /** What has to be stored since the last call, or since `restore()`; of a session that has come and gone since, nothing. */
  takeNews(): LoginNews {
    const news = {
      logins: [...this.#newLogins.values()],
      opened: [...this.#newSessions.values()].filter((session) => session !== null),
      closed: [...this.#newSessions].flatMap(([id, session]) => {
        const stored = this.#stored.get(id);
        return session === null && stored !== undefined ? [stored] : [];
      }),
    };
    for (const [id, session] of this.#newSessions) {
      if (session === null) this.#stored.delete(id);
      else this.#stored.set(id, session);
    }
    this.#newLogins.clear();
    this.#newSessions.clear();
    return news;
  }

  #apply(change: LoginChange): boolean {
    if (change.kind === "closed") return this.#end(change.end);
    this.#keep(change);
    // Whoever had this process before is gone.
    if (change.pid !== null) this.#end({ address: null, pid: change.pid, time: change.time });
    this.#open(change);
    return true;
  }

  /** Gives back the memory of logins that count for nothing any more at `now`. */
  sweep(now: Micros): void {
    const { span } = this.#trust ?? NOBODY;
    for (const [address, logins] of this.#logins) {
      for (const [method, { time }] of logins) if (time <= now - span) logins.delete(method);
      if (logins.size === 0) this.#logins.delete(address);
    }
  }

  /** Addresses from which somebody is logged in. */
  get open(): string[] {
    return [...new Set(this.#sessions.values().map(({ address }) => address))];
  }

  /** The login that puts `target`, an address or a network, beyond bans at `time`; null when there is none. */
  trusted(target: string, time: Micros): Login | null {
    const { span, methods } = this.#trust ?? NOBODY;
    return this.#within(target).find((login) => methods.has(login.method) && login.time > time - span) ??
      null;
  }

  /** How many times as high as for strangers limits are for `target` at `time`. */
  lenience(target: string, time: Micros): number {
    if (this.#trust === null || this.#logins.size === 0) return 1;
    const { span, factor } = this.#trust;
    return this.#within(target).some((login) => login.time > time - span) ? factor : 1;
  }

  #open(session: Session): void {
    const id = idOf(session);
    this.#close(id);
    this.#sessions.set(id, session);
    this.#newSessions.set(id, session);
    if (session.pid === null) return;
    const served = this.#ofProcess.get(session.pid);
    if (served === undefined) this.#ofProcess.set(session.pid, new Set([id]));
    else served.add(id);
  }

  #end(end: SessionEnd): boolean {
    if (this.#sessions.size === 0) return false;
    const named = end.address === null ? [...this.#ofProcess.get(end.pid) ?? []] : [idOf(end)];
    const ended = named.filter((id) => (this.#sessions.get(id)?.time ?? Infinity) <= end.time);
    for (const id of ended) this.#close(id);
    return ended.length > 0;
  }

  #close(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#newSessions.set(id, null);
    if (session.pid === null) return;
    const served = this.#ofProcess.get(session.pid)!;
    served.delete(id);
    if (served.size === 0) this.#ofProcess.delete(session.pid);
  }

  #keep(login: Login): void {
    const kept = this.#logins.get(login.address) ?? new Map<string, Login>();
    if (login.time < (kept.get(login.method)?.time ?? 0)) return;
    this.#logins.set(login.address, kept.set(login.method, login));
    this.#newLogins.set(`${login.address} ${login.method}`, login);
  }

  /** The newest login of each method from every address of `target`. */
  #within(target: string): Login[] {
    if (!target.includes("/")) return [...this.#logins.get(target)?.values() ?? []];
    const network = new NetworkSet([target]);
    return [...this.#logins].flatMap(([address, logins]) =>
      network.covers(address) ? [...logins.values()] : []
    );
  }
}

const NOBODY: TrustOptions = { span: 0, methods: new Set(), factor: 1 };

function idOf({ address, port }: { address: string; port: number }): string {
  return `${address} ${port}`;
}
