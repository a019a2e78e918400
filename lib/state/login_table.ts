import type { Login, LoginChange, Micros, Session, SessionEnd } from "../types.ts";
import type { Database } from "./database.ts";

/** Who has logged in lately, and who is logged in. */
export class LoginTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Keeps what a change leaves behind: the newest login of an address for each method, and the sessions that are open. */
  apply(change: LoginChange): void {
    if (change.kind === "closed") return this.#end(change.end);
    const { address, port, pid, time } = change;
    if (pid !== null) this.#end({ address: null, pid, time });
    this.#db.run(
      `INSERT INTO login (address, method, user, time) VALUES (?, ?, ?, ?)
       ON CONFLICT (address, method) DO UPDATE SET user = excluded.user, time = excluded.time
       WHERE excluded.time >= time`,
      address,
      change.method,
      change.user,
      time,
    );
    this.#db.run("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", address, port, pid, time);
  }

  #end(end: SessionEnd): void {
    if (end.address === null) {
      this.#db.run("DELETE FROM session WHERE pid = ? AND time <= ?", end.pid, end.time);
      return;
    }
    const { address, port, time } = end;
    this.#db.run("DELETE FROM session WHERE address = ? AND port = ? AND time <= ?", address, port, time);
  }

  logins(): Login[] {
    return this.#db.all<Login>("SELECT address, method, user, time FROM login ORDER BY time");
  }

  sessions(): Session[] {
    return this.#db.all<Session>("SELECT address, port, pid, time FROM session ORDER BY time");
  }

  /** Drops logins before `logins`, and sessions before `sessions`: the machine was not up then. */
  expire({ logins, sessions }: { logins: Micros; sessions: Micros }): void {
    this.#db.transaction(() => {
      this.#db.run("DELETE FROM login WHERE time < ?", logins);
      this.#db.run("DELETE FROM session WHERE time < ?", sessions);
    });
  }
}
