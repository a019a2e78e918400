import { detached } from "../detach.ts";
import { NetworkSet } from "../ip.ts";
import type { LogEvent, Login, LoginChange, LoginNews, Micros, Session, SessionEnd } from "../types.ts";

/** Whose successful logins are a reason not to ban. */
export interface TrustOptions {
  /** How long a login is one. */
  readonly span: Micros;
  /** Ways of logging in that put an address beyond bans, such as `publickey`. */
  readonly methods: ReadonlySet<string>;
  /** For whoever logged in any other way limits are so many times as high. */
  readonly factor: number;
}

/** What a line says, also one that names no address. */
export interface Said extends Pick<LogEvent, "fields" | "time" | "trusted"> {
  readonly address: string | null;
  /** Of the process that wrote it. */
  readonly pid: number | null;
}

/**
 * What a line tells of logins: field `login` names the way in which somebody has just logged in, field `logout` says that the
 * connection has ended. Null for others, and for what any local user could have forged.
 */
export function loginChange(said: Said): LoginChange | null {
  const { address, fields: { login: method, logout }, pid, time, trusted } = said;
  if (!trusted || (method === undefined && logout === undefined)) return null;
  if (address === null) {
    return pid === null || logout === undefined ? null : { kind: "closed", end: { address, pid, time } };
  }
  const { user = "", port = "0" } = said.fields;
  if (method === undefined) return { kind: "closed", end: { address, port: Number(port), time } };
  return {
    kind: "opened",
    address: detached(address),
    port: Number(port),
    time,
    pid,
    user: detached(user),
    method: detached(method),
  };
}

/** Who has logged in lately, and who is logged in now. */
export class Logins {
  readonly #trust: TrustOptions | null;
  /** The newest of each method, by address. */
  readonly #logins = new Map<string, Map<string, Login>>();
  readonly #sessions = new Map<string, Session>();
  /** The sessions that each process serves: one, but for processes of several machines or a log read out of order. */
  readonly #ofProcess = new Map<number, Set<Session>>();
  /** What `takeNews()` has to tell: sessions by what they are known by, null where one is over. */
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
    return changes.filter((change) => this.#apply(change)).length > 0;
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
    const before = this.#sessions.get(idOf(session));
    if (before !== undefined) this.#close(before);
    this.#sessions.set(idOf(session), session);
    this.#newSessions.set(idOf(session), session);
    if (session.pid === null) return;
    const served = this.#ofProcess.get(session.pid);
    if (served === undefined) this.#ofProcess.set(session.pid, new Set([session]));
    else served.add(session);
  }

  #end(end: SessionEnd): boolean {
    const session = end.address === null ? undefined : this.#sessions.get(idOf(end));
    const named = end.address === null ? [...this.#ofProcess.get(end.pid) ?? []] : session ? [session] : [];
    const ended = named.filter(({ time }) => time <= end.time);
    for (const session of ended) this.#close(session);
    return ended.length > 0;
  }

  #close(session: Session): void {
    this.#sessions.delete(idOf(session));
    this.#newSessions.set(idOf(session), null);
    if (session.pid === null) return;
    const served = this.#ofProcess.get(session.pid)!;
    served.delete(session);
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
