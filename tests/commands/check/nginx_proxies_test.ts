import { strict as assert } from "node:assert";
import { unnamedProxies } from "../../../lib/commands/check/nginx_proxies.ts";
import { load } from "../../support/configs.ts";

/** Warnings for a module NGINX with `settings`, beside an nginx that trusts `from`. */
function warnings(from: readonly string[], settings: object, others: object = {}): string[] {
  const path = Deno.makeTempFileSync({ prefix: "strongmonitor-nginx-" });
  try {
    const directives = from.map((address) => `set_real_ip_from ${address};`).join("\n");
    Deno.writeTextFileSync(path, `http {\n${directives}\n}\n`);
    const text = JSON.stringify({ modules: { NGINX: settings }, ...others });
    return unnamedProxies(load(text), path).map((warning) => warning.replaceAll(path, "CONF"));
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("`unnamedProxies()` names whom nginx trusts and `trusted_proxies` lacks", () => {
  const none = { trusted_proxies: [] };
  assert.deepEqual(warnings(["192.0.2.10", "2001:db8::/64"], none), [
    "[NGINX] trusted_proxies lacks 192.0.2.10, 2001:db8::/64, from which nginx takes clients' addresses " +
    "(set_real_ip_from in CONF): clients could get these proxies banned",
  ]);
  assert.equal(warnings(["192.0.2.10"], { trusted_proxies: ["192.0.2.11"] }).length, 1);
  assert.equal(warnings(["192.0.2.0/24"], { trusted_proxies: ["192.0.2.1"] }).length, 1, "a part is not all");
});

Deno.test("`unnamedProxies()` is silent about proxies that are known, whitelisted or never banned", () => {
  assert.deepEqual(warnings(["192.0.2.10"], { trusted_proxies: ["192.0.2.0/24"] }), []);
  assert.deepEqual(warnings(["192.0.2.10"], { trusted_proxies: [] }, { whitelist: ["192.0.2.8/29"] }), []);
  assert.deepEqual(warnings(["127.0.0.1", "unix:", "0.0.0.0/0", "cdn.example"], { trusted_proxies: [] }), []);
  assert.deepEqual(warnings(["192.0.2.10"], {}), [], "without the key, another warning says so");
});
