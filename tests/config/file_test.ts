import { strict as assert } from "node:assert";
import { userInfo } from "node:os";
import { join } from "node:path";
import { buildHint } from "../../lib/config/build_hint.ts";
import { loadConfig, withPassword } from "../../lib/config/load.ts";
import { DB, inDirectory, known, refusal, SHIPPED, top } from "../support/configs.ts";

Deno.test("`loadConfig()` refuses files that cannot be a configuration", () => {
  const files = {
    empty: " \n",
    binary: new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1]),
    latin1: new Uint8Array([0x7b, 0xe9, 0x7d]),
    huge: new Uint8Array((1 << 20) + 1).fill(0x20),
  };
  inDirectory(files, (directory) => {
    const message = (name: string, code: number) =>
      refusal(() => loadConfig(join(directory, name), { known }), directory, code);
    const cause = (name: string, code = 78) =>
      message(name, code).replace("Cannot read the configuration: ", "");
    assert.equal(message("empty", 78), "Cannot load empty: it is empty");
    assert.equal(cause("binary"), "binary is binary, not text");
    assert.equal(cause("latin1"), "latin1 is not UTF-8 text");
    assert.equal(cause("huge"), "huge has 1048577 bytes, more than the 1048576 allowed");
    assert.equal(cause("missing", 66), "missing does not exist; give the path of one that does");
    assert.equal(cause(".", 66), `${directory} is a directory`);
    assert.match(cause("empty/beneath", 66), /^empty\/beneath cannot be read, Not a directory/);
    assert.equal(
      refusal(() => loadConfig("/dev/zero", { known }), "", 66),
      "Cannot read the configuration: /dev/zero is not a regular file",
    );
  });
});

Deno.test({
  name: "`loadConfig()` names the user who may not read the file (not as root, who may read all)",
  ignore: Deno.uid() === 0,
  fn: () =>
    inDirectory({ "config.jsonc": "{}" }, (directory) => {
      const path = join(directory, "config.jsonc");
      Deno.chmodSync(path, 0o200);
      const message = refusal(() => loadConfig(path, { known }), directory, 66);
      const { username } = userInfo();
      assert.equal(
        message,
        `Cannot read the configuration: user ${username} may not read config.jsonc; use sudo`,
      );
    }),
});

Deno.test("`loadConfig()` needs no right but to read its file, and names the build command without it", async () => {
  const program = join(Deno.makeTempDirSync(), "program.ts");
  const source = new URL("../../lib/config/load.ts", import.meta.url).href;
  const modules = new URL("../../modules/mod.ts", import.meta.url).href;
  Deno.writeTextFileSync(
    program,
    `import { loadConfig } from "${source}";
     import { modules } from "${modules}";
     try { console.log(loadConfig("${SHIPPED}", { known: modules }).path); }
     catch (error) { console.log(error.message); }`,
  );
  const run = async (...rights: string[]) => {
    const config = `--config=${new URL("../../deno.json", import.meta.url).pathname}`;
    const args = [
      "run",
      "--no-prompt",
      "--no-lock",
      config,
      ...rights,
      program,
    ];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    assert.equal(await run(`--allow-read=${SHIPPED}`), SHIPPED);
    assert.equal(
      await run(),
      `Cannot read the configuration: this program may not read ${SHIPPED}; ` +
        `a draft can come through standard input: --config - < ${SHIPPED}; to run by it, ` +
        buildHint({ config: SHIPPED }),
    );
  } finally {
    Deno.removeSync(join(program, ".."), { recursive: true });
  }
});

Deno.test("`readPassword()` names the configuration to build for, and never the secret", async () => {
  const source = new URL("../../lib/config/file.ts", import.meta.url).href;
  const code = `import { readPassword } from "${source}";
    try { readPassword({ config: "/c/config.jsonc", state: "/s" }, { host: "db", port: 5432 }); } catch (error) { console.log(error.message); }`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", `data:application/typescript,${encodeURIComponent(code)}`],
    stderr: "null",
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout).trim(),
    "Cannot read the database password: this program may not read " +
      `/c/db_password.secret; ${buildHint({ config: "/c/config.jsonc", state: "/s" })}`,
  );
});

Deno.test("`withPassword()` takes the database password from the file beside the configuration", () => {
  const passwords: [secret: string | null, mode: number, expected: string][] = [
    ["s3cret\n", 0o640, "s3cret"],
    ["s3cret", 0o600, "s3cret"],
    [" two words \r\n", 0o600, " two words "],
    [
      null,
      0,
      "does not exist; type the password, then Enter and Ctrl+D, into: " +
      "sudo install -o root -g strongmonitor -m 640 /dev/stdin db_password.secret",
    ],
    ["", 0o600, "is empty"],
    ["\n\n", 0o600, "is empty"],
    ["a\nb\n", 0o600, "must hold one line, the password alone"],
    ["a\0b", 0o600, "is binary, not text"],
    ["x".repeat(1025), 0o600, "has 1025 bytes, more than the 1024 allowed"],
  ];
  for (const [secret, mode, expected] of passwords) {
    const files = { "config.jsonc": top(DB), ...(secret === null ? {} : { "db_password.secret": secret }) };
    inDirectory(files, (directory) => {
      if (secret !== null) Deno.chmodSync(join(directory, "db_password.secret"), mode);
      const open = () =>
        withPassword(loadConfig(join(directory, "config.jsonc"), { known })).database?.password;
      if (secret?.trim() === expected.trim()) assert.equal(open(), expected);
      else {
        const message = refusal(open, directory);
        assert.equal(message, `Cannot read the database password: db_password.secret ${expected}`);
      }
    });
  }
});

Deno.test("`withPassword()` needs no password by a socket, and takes one that is there", () => {
  const config = top('"DB": { "host": "/run/postgresql", "user": "u", "database": "d" }');
  const passwordOf = (files: Record<string, string>) => {
    let password: string | undefined;
    inDirectory({ "config.jsonc": config, ...files }, (directory) => {
      for (const name of Object.keys(files)) Deno.chmodSync(join(directory, name), 0o600);
      password = withPassword(loadConfig(join(directory, "config.jsonc"), { known })).database?.password;
    });
    return password;
  };
  assert.equal(passwordOf({}), "");
  assert.equal(passwordOf({ "db_password.secret": "s3cret\n" }), "s3cret");
});

Deno.test("`withPassword()` refuses a password that everyone may read, and `loadConfig()` reads none", () => {
  inDirectory({ "config.jsonc": top(DB), "db_password.secret": "s3cret" }, (directory) => {
    Deno.chmodSync(join(directory, "db_password.secret"), 0o644);
    const path = join(directory, "config.jsonc");
    const giving = Deno.gid() === 0 ? "sudo chgrp strongmonitor db_password.secret && " : "";
    assert.equal(
      refusal(() => withPassword(loadConfig(path, { known })), directory),
      "Cannot read the database password: everyone may read db_password.secret; forbid it with: " +
        `${giving}sudo chmod 640 db_password.secret`,
    );
    assert.equal(loadConfig(path, { known }).database?.password, "");
  });
});
