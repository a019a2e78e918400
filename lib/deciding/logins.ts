import { ipv4Word } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import type { Micros } from "../core/time.ts";
import type { LogEvent } from "../reading/event.ts";
import { fieldNumber } from "../reading/field_text.ts";
import { END } from "../reading/message_reader.ts";
import { type Login, type LoginChange, loginChange, type Session } from "./login_change.ts";

/** Changes of logins and sessions that are not stored yet. */
export interface LoginUpdate {
  /** The newest login of each address and method. */
  readonly logins: readonly Login[];
  readonly opened: readonly Session[];
  /** Stored sessions that have ended. */
  readonly closed: readonly Session[];
}

/** Says which logins are a reason not to ban. */
export interface TrustOptions {
  /** How long a login counts. */
  readonly span: Micros;
  /** Methods of login that prevent bans of an address, such as `publickey`. */
  readonly methods: ReadonlySet<string>;
  /** Factor of the limits for addresses with logins by other methods. */
  readonly factor: number;
}

/** Recent logins and open sessions. */
export class Logins {
  readonly #trust: TrustOptions | null;
  /** The newest login of each method, by address. */
  readonly #logins = new Map<string, Map<string, Kept>>();
  readonly #sessions = new Map<SessionKey, Session>();
  /** Sessions by process: one, unless several machines share a log or lines are out of order. */
  readonly #ofProcess = new Map<number, SessionKey[]>();
  /** Changes for `takeUpdate()`; null: the session has ended. */
  readonly #newLogins = new Set<Kept>();
  readonly #newSessions = new Map<SessionKey, Session | null>();
  /** Sessions that `takeUpdate()` has returned. */
  readonly #stored = new Map<SessionKey, Session>();

  /** @param trust null: past logins do not count */
  constructor(trust: TrustOptions | null) {
    this.#trust = trust;
  }

  /** Replaces everything by the stored logins and sessions. */
  restore({ logins, sessions }: { logins: Iterable<Login>; sessions: Iterable<Session> }): void {
    this.#logins.clear();
    this.#sessions.clear();
    this.#ofProcess.clear();
    for (const login of logins) this.keep(login);
    for (const session of sessions) this.#open(session);
    this.#newLogins.clear();
    this.#newSessions.clear();
    this.#stored.clear();
    for (const [key, session] of this.#sessions) this.#stored.set(key, session);
  }

  /**
   * Handles an event's login or end of a connection; false: it changes nothing. Most connections
   * end without a login, so their lines cost no allocation.
   */
  note(event: LogEvent): boolean {
    if (event.reader.says === END && !this.#mayEndSession(event)) return false;
    const change = loginChange(event);
    return change !== null && this.#apply(change);
  }

  /** Keeps a login, without a session. */
  keep(login: Login): void {
    let logins = this.#logins.get(login.address);
    if (logins === undefined) this.#logins.set(login.address, logins = new Map());
    let kept = logins.get(login.method);
    if (kept === undefined) logins.set(login.method, kept = { newest: login });
    else if (login.time < kept.newest.time) return;
    kept.newest = login;
    this.#newLogins.add(kept);
  }

  /** Returns unstored changes since the last call or `restore()`. Omits sessions already over. */
  takeUpdate(): LoginUpdate {
    const update = {
      logins: Array.from(this.#newLogins, ({ newest }) => newest),
      opened: [...this.#newSessions.values()].filter((session) => session !== null),
      closed: [...this.#newSessions].flatMap(([key, session]) => {
        const stored = this.#stored.get(key);
        return session === null && stored !== undefined ? [stored] : [];
      }),
    };
    for (const [key, session] of this.#newSessions) {
      if (session === null) this.#stored.delete(key);
      else this.#stored.set(key, session);
    }
    this.#newLogins.clear();
    this.#newSessions.clear();
    return update;
  }

  #apply(change: LoginChange): boolean {
    if (change.kind === "closed") {
      const { end } = change;
      return end.address === null ? this.#endProcess(end.pid, end.time) : this.#end(keyOf(end), end.time);
    }
    this.keep(change);
    // The process's earlier sessions are over.
    if (change.pid !== null) this.#endProcess(change.pid, change.time);
    this.#open(change);
    return true;
  }

  /** Frees logins that no longer count at `now`. */
  sweep(now: Micros): void {
    const { span } = this.#trust ?? NO_TRUST;
    for (const [address, logins] of this.#logins) {
      for (const [method, { newest }] of logins) if (newest.time <= now - span) logins.delete(method);
      if (logins.size === 0) this.#logins.delete(address);
    }
  }

  get openAddresses(): string[] {
    return [...new Set(this.#sessions.values().map(({ address }) => address))];
  }

  /** Returns the login that prevents a ban of an address or network at `time`; null: none. */
  trusted(target: string, time: Micros): Login | null {
    const { span, methods } = this.#trust ?? NO_TRUST;
    return this.#within(target).find((login) => methods.has(login.method) && login.time > time - span) ??
      null;
  }

  /** Returns the factor of the limits of `target` at `time`. */
  lenience(target: string, time: Micros): number {
    if (this.#trust === null || this.#logins.size === 0) return 1;
    const { span, factor } = this.#trust;
    return this.#within(target).some((login) => login.time > time - span) ? factor : 1;
  }

  /** Reports whether an event that ends a connection could end a session. */
  #mayEndSession({ reader, pid }: LogEvent): boolean {
    const { isAddress, isIPv6, w3 } = reader.address;
    if (!isAddress) return this.#ofProcess.has(pid);
    return isIPv6 || this.#sessions.has(keyOfIPv4(w3, fieldNumber(reader, "port")));
  }

  #open(session: Session): void {
    const key = keyOf(session);
    this.#close(key);
    this.#sessions.set(key, session);
    this.#newSessions.set(key, session);
    if (session.pid === null) return;
    const served = this.#ofProcess.get(session.pid);
    if (served === undefined) this.#ofProcess.set(session.pid, [key]);
    else served.push(key);
  }

  /** Ends the sessions of a process that began by `time`; false: there is none. */
  #endProcess(pid: number, time: Micros): boolean {
    const served = this.#ofProcess.get(pid);
    return served !== undefined && [...served].filter((key) => this.#end(key, time)).length > 0;
  }

  /** Ends a session that began by `time`; false: there is none. */
  #end(key: SessionKey, time: Micros): boolean {
    const session = this.#sessions.get(key);
    if (session === undefined || session.time > time) return false;
    this.#close(key);
    return true;
  }

  #close(key: SessionKey): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#sessions.delete(key);
    this.#newSessions.set(key, null);
    if (session.pid === null) return;
    const served = this.#ofProcess.get(session.pid)!;
    served.splice(served.indexOf(key), 1);
    if (served.length === 0) this.#ofProcess.delete(session.pid);
  }

  /** Returns the newest login of each method from every address of `target`. */
  #within(target: string): Login[] {
    if (!target.includes("/")) return newestOf(this.#logins.get(target) ?? NO_LOGINS);
    const network = new NetworkSet([target]);
    return [...this.#logins].flatMap(([address, logins]) => network.covers(address) ? newestOf(logins) : []);
  }
}

/** The newest login of an address by one method; a place that stays the same costs no allocation. */
interface Kept {
  newest: Login;
}

const NO_LOGINS: ReadonlyMap<string, Kept> = new Map();

function newestOf(logins: ReadonlyMap<string, Kept>): Login[] {
  return Array.from(logins.values(), ({ newest }) => newest);
}

const NO_TRUST: TrustOptions = { span: 0, methods: new Set(), factor: 1 };

/** The client's address and port; for IPv4 a number, as V8 finds it faster than new text. */
type SessionKey = number | string;

function keyOf({ address, port }: { address: string; port: number }): SessionKey {
  return address.includes(":") ? `${address} ${port}` : keyOfIPv4(ipv4Word(address), port);
}

/** @param word the address as a signed number of 32 bits */
function keyOfIPv4(word: number, port: number): SessionKey {
  return word * PORTS + port;
}

/** Above every port: `<PORT>` has at most five digits. */
const PORTS = 100_000;
