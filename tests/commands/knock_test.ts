import { strict as assert } from "node:assert";
import { now } from "../../lib/core/time.ts";
import { opens } from "../../lib/deciding/knock_key.ts";
import { codeAt } from "../support/authenticator.ts";
import { type TemporaryState, temporaryState } from "../support/helpers.ts";
import { MAIN, program, type Result } from "../support/program.ts";

const SECRET = "open-sesame-1234567";

/** A command on a state of its own. */
interface Stage {
  readonly temporary: TemporaryState;
  knock(...words: string[]): Promise<Result>;
}

async function stage(play: (stage: Stage) => Promise<void>): Promise<void> {
  using temporary = temporaryState();
  const config = `${temporary.directory}/config.jsonc`;
  const modules = { SSHD: { rules: [{ name: "a", str: "x", limit: 1 }] } };
  Deno.writeTextFileSync(config, JSON.stringify({ modules, state: temporary.directory }));
  const knock = (verb: string, ...words: string[]) => program(["knock", verb, "--config", config, ...words]);
  await play({ temporary, knock });
}

/** Runs `knock new` with `input` on its standard input. */
async function newFrom(input: string, { directory }: TemporaryState): Promise<Result> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--allow-all", MAIN, "knock", "new", "own", "--secret-stdin"],
      ...["--config", `${directory}/config.jsonc`],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("`knock new` prints a URI that another authenticator takes, and keeps the key", () =>
  stage(async ({ temporary, knock }) => {
    const { code, stdout, stderr } = await knock("new", "phone");
    assert.equal(code, 0, stderr);
    const uri = new URL(stdout.trim());
    assert.match(
      stdout,
      /^otpauth:\/\/totp\/StrongMonitor:phone%40[^\n]+\n$/,
      "the URI alone, off a terminal",
    );
    const secret = uri.searchParams.get("secret")!;
    assert.match(codeAt(now(), secret), /^\d{6}$/);
    assert.equal(secret.length, 32);
    assert.deepEqual(temporary.state.knocks.keys().map((key) => [key.name, key.kind, key.secret]), [
      ["phone", "totp", secret],
    ]);
    assert.match(stderr, /takes effect when it starts/);
  }));

Deno.test("`knock new` makes no two keys alike and none twice under one name", () =>
  stage(async ({ knock }) => {
    const made = [await knock("new", "a", "--json"), await knock("new", "b", "--json")];
    const [a, b] = made.map(({ stdout }) => JSON.parse(stdout));
    assert.deepEqual(Object.keys(a), ["name", "uri"]);
    assert.notEqual(new URL(a.uri).searchParams.get("secret"), new URL(b.uri).searchParams.get("secret"));
    const { code, stderr } = await knock("new", "a");
    assert.deepEqual([code, stderr], [
      1,
      "strongmonitor: Cannot make the key a: there is one; give another name, or remove it\n",
    ]);
    assert.equal((await knock("new", "a b")).code, 64);
  }));

Deno.test("`knock new --plain` shows a secret once and keeps its seal alone", () =>
  stage(async ({ temporary, knock }) => {
    const { stdout } = await knock("new", "script", "--plain");
    const secret = stdout.trim();
    assert.match(secret, /^[a-z2-7]{32}$/);
    const [key] = temporary.state.knocks.keys();
    assert.ok(key!.kind === "plain" && !key!.secret.includes(secret) && opens(secret, key!.secret));
  }));

Deno.test("`knock new --secret-stdin` takes a secret that is long enough and passes sshd and URLs", () =>
  stage(async ({ temporary }) => {
    for (
      const refused of [
        "",
        "short",
        "x".repeat(65),
        `${SECRET}\n\n`,
        "with blanks in between",
        "-starts-like-an-option",
        "x".repeat(9_999),
      ]
    ) {
      assert.equal((await newFrom(refused, temporary)).code, 64, refused.slice(0, 40));
    }
    assert.deepEqual(temporary.state.knocks.keys(), []);
    assert.equal((await newFrom(`${SECRET}\n`, temporary)).code, 0);
    assert.ok(opens(SECRET, temporary.state.knocks.keys()[0]!.secret));
  }));

Deno.test("`knock list` shows keys and uses, no secret, and `knock remove` removes", () =>
  stage(async ({ temporary, knock }) => {
    assert.match((await knock("list")).stdout, /There are no keys/);
    await knock("new");
    const { secret } = temporary.state.knocks.keys()[0]!;
    temporary.state.knocks.accept({
      key: "owner",
      address: "192.0.2.1",
      time: 1_000_000,
      until: 2e6,
      step: 7,
    });
    const listed = await knock("list", "--json");
    const { since, ...rest } = JSON.parse(listed.stdout);
    assert.match(since, /^\d{4}-.*Z$/);
    assert.deepEqual(rest, {
      name: "owner",
      kind: "totp",
      used_at: "1970-01-01T00:00:01.000000Z",
      used_by: "192.0.2.1",
    });
    const table = (await knock("list")).stdout;
    assert.match(
      table,
      /^NAME +KIND +SINCE +LAST USED +BY\nowner +totp .* 1970-01-01 00:00:01 +192\.0\.2\.1\nTimes are of UTC\.\n$/,
    );
    assert.ok(!(listed.stdout + table).includes(secret));
    assert.equal((await knock("remove", "owner")).stdout, "owner removed\n");
    assert.equal((await knock("remove", "owner")).code, 1);
    assert.deepEqual(temporary.state.knocks.keys(), []);
  }));
