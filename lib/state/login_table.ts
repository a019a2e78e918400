import type { Login, Session } from "../deciding/login_change.ts";
import type { LoginUpdate } from "../deciding/logins.ts";
import type { Micros } from "../core/time.ts";
import { Table } from "./database.ts";

/** Recent logins and open sessions. */
export class LoginTable extends Table {
  apply({ logins, opened, closed }: LoginUpdate): void {
    for (const { address, method, user, time } of logins) {
      this.db.run("INSERT OR REPLACE INTO login VALUES (?, ?, ?, ?)", [address, method, user, time]);
    }
    for (const { address, port } of closed) {
      this.db.run("DELETE FROM session WHERE address = ? AND port = ?", [address, port]);
    }
    for (const { address, port, pid, time } of opened) {
      this.db.run("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", [address, port, pid, time]);
    }
  }

  logins(): Login[] {
    return this.db.all<Login>("SELECT address, method, user, time FROM login ORDER BY time");
  }

  sessions(): Session[] {
    return this.db.all<Session>("SELECT address, port, pid, time FROM session ORDER BY time");
  }

  /** Deletes logins before `time`; returns their number. */
  deleteLogins(time: Micros): number {
    return this.db.run("DELETE FROM login WHERE time < ?", [time]);
  }

  /** Deletes logins before `logins`, sessions before `sessions`: the machine was not up then. */
  deleteOld({ logins, sessions }: { logins: Micros; sessions: Micros }): void {
    this.db.transaction(() => {
      this.deleteLogins(logins);
      this.db.run("DELETE FROM session WHERE time < ?", [sessions]);
    });
  }
}
