import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import { exists } from "./support/probes.ts";
import { sha256 } from "../tools/release/files.ts";
import { layDebian } from "../tools/release/debian.ts";

const ANALYZE = "/usr/bin/systemd-analyze";

/** Overall exposure in tenths, as `docs/sandbox.md` states it. */
const EXPOSURES = { "strongmonitor.service": 16, "strongmonitor-sudo.service": 23 };

for (const [unit, exposure] of Object.entries(EXPOSURES)) {
  Deno.test({
    name: `${unit} is exposed no more than it is documented to be${
      exists(ANALYZE) ? "" : " (needs systemd-analyze)"
    }`,
    ignore: !exists(ANALYZE),
    async fn() {
      const path = fileURLToPath(new URL(`../${unit}`, import.meta.url));
      const { success, stderr } = await new Deno.Command(ANALYZE, {
        args: ["security", "--offline=yes", `--threshold=${exposure}`, path],
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    },
  });
}

const PROJECT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

Deno.test("strongmonitor.service bans without sudo, strongmonitor-sudo.service through it, and README.md installs both", () => {
  const of = (name: string) => Deno.readTextFileSync(`${PROJECT}/${name}`);
  const [plain, sudo] = [of("strongmonitor.service"), of("strongmonitor-sudo.service")];
  assert.match(plain, /^AmbientCapabilities=CAP_NET_ADMIN$/m);
  for (const unit of [plain, sudo]) assert.match(unit, /^LimitNOFILE=65536$/m);
  assert.match(plain, /^NoNewPrivileges=yes$/m);
  assert.match(sudo, /^AmbientCapabilities=$/m);
  assert.doesNotMatch(sudo, /^NoNewPrivileges=/m);
  assert.match(sudo, /^Conflicts=strongmonitor\.service\nAfter=.* strongmonitor\.service$/m);
  assert.match(of("README.md"), /^sudo install -m 644 strongmonitor\.service strongmonitor-sudo\.service /m);
});

for (const name of Object.keys(EXPOSURES)) {
  Deno.test(`${name} refuses to start by a wrong configuration, and tries only again what may go well`, () => {
    const text = Deno.readTextFileSync(`${PROJECT}/${name}`);
    assert.match(text, /^ExecStartPre=\/usr\/local\/bin\/strongmonitor check --syntax --quiet$/m);
    // With "always" and "on-failure" systemd tries a failed ExecStartPre= again (systemd.service(5)).
    assert.match(text, /^Restart=on-abnormal$/m);
    assert.match(text, /^RestartForceExitStatus=0 1 69 101 SIGHUP$/m);
  });

  Deno.test(`${name} has the program survive a SIGHUP that comes before it listens`, async () => {
    const text = Deno.readTextFileSync(`${PROJECT}/${name}`);
    const [, first] = text.match(/^ExecStart=[^]*?(\S+) \/usr\/local\/bin\/strongmonitor run /m)!;
    const { stdout } = await new Deno.Command(first!, {
      args: ["sh", "-c", "kill -HUP $$; echo alive"],
      stdin: "null",
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "alive\n");
  });
}

Deno.test("the Debian package has the project's units by their names, which run the program where packages have theirs", async () => {
  const root = await Deno.makeTempDir({ prefix: "strongmonitor-units-" });
  try {
    const pages = `${root}/pages`;
    Deno.mkdirSync(pages);
    const names = ["strongmonitor.8.gz", "strongmonitor.bash", "_strongmonitor", "strongmonitor.fish"];
    for (const name of [...names, "changelog.gz", "changelog.Debian.gz"]) {
      Deno.writeTextFileSync(`${pages}/${name}`, "");
    }
    Deno.mkdirSync(`${root}/deb`);
    const program = `${pages}/strongmonitor.bash`;
    layDebian(`${root}/deb`, {
      ...{ project: PROJECT, program, pages, version: "0-1", architecture: "amd64" },
      maintainer: "Jane Doe <jane@example.org>",
    });
    assert.match(
      Deno.readTextFileSync(`${root}/deb/DEBIAN/control`),
      /^Maintainer: Jane Doe <jane@example\.org>$/m,
    );
    const conffile = Deno.readFileSync(`${root}/deb/etc/strongmonitor/config.jsonc`);
    assert.equal(
      sha256(conffile),
      "53ccac8f3abd0311ec300ccc292bacc3c5597ba9c3b2001987c80d4da753f143",
      "a change of the conffile makes dpkg ask everybody who has another one",
    );
    for (const name of Object.keys(EXPOSURES)) {
      assert.equal(
        Deno.readTextFileSync(`${root}/deb/usr/lib/systemd/system/${name}`),
        Deno.readTextFileSync(`${PROJECT}/${name}`).replaceAll("/usr/local/bin/", "/usr/bin/"),
      );
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("docs/installing.md tells where each page of the tarball goes, and takes it away again", () => {
  const text = Deno.readTextFileSync(`${PROJECT}/docs/installing.md`);
  const goes = [...text.matchAll(/^sudo install -D .* (\S+) (\/usr\/\S+)$/gm)];
  const names = ["strongmonitor.8.gz", "strongmonitor.bash", "_strongmonitor", "strongmonitor.fish"];
  const pages = [...names.map((name) => `share/${name}`), "docs/config.schema.json"];
  assert.deepEqual(goes.map(([, page]) => page).sort(), pages.sort());
  const [removal] = text.match(/^sudo rm -rf (?:.*\\\n)*.*$/m)!;
  for (const [, , place] of goes) {
    assert.ok(removal.split(/\s+/).some((path) => path !== "" && `${place}/`.startsWith(`${path}/`)), place);
  }
});

Deno.test("the service for OpenRC in docs/installing.md reads as a shell's, and reloads by what the units ask first", async () => {
  const text = Deno.readTextFileSync(`${PROJECT}/docs/installing.md`);
  const [, script] = text.match(/^```sh\n(#!\/sbin\/openrc-run\n[^]*?)^```$/m)!;
  const told = script!.replace('supervise-daemon "', 'echo "');
  const calls = "RC_SVCNAME=name; program=true; reload; start_pre && echo start; " +
    "program=false; reload; start_pre || echo refused";
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `${told}\n${calls}`] }).output();
  assert.equal(new TextDecoder().decode(stdout), "name --signal HUP\nstart\nrefused\n");
  const starts = ["command=/usr/bin/nohup", 'command_args="$program run"'];
  for (const line of ["capabilities=^cap_net_admin", "no_new_privs=yes", ...starts]) {
    assert.ok(script!.includes(`\n${line}\n`), line);
  }
});
