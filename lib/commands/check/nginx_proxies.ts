/** Compares the proxies that nginx.conf names with those of a configuration. */
import { isWide } from "../../config/whitelist.ts";
import type { Config } from "../../config/types.ts";
import { NEVER_BANNED } from "../../core/address_kind.ts";
import { NetworkSet } from "../../core/network_set.ts";
import { listed } from "../../core/text.ts";
import { setupAt } from "../init/nginx_conf.ts";
import { NGINX_CONF } from "../common/output.ts";

/**
 * Warns of addresses from which nginx takes its clients' addresses (`set_real_ip_from`), if
 * `trusted_proxies` says that there are others or none: nginx logs what it refuses early with the
 * proxy's own address, so that anybody could get the proxy banned.
 */
export function unnamedProxies({ modules, whitelist }: Config, nginxConf = NGINX_CONF): string[] {
  const nginx = modules.find(({ module }) => module.name === "NGINX");
  if (!nginx?.trustedProxies) return [];
  const members = whitelist.members.flatMap(({ address, isName }) => isName ? [] : address);
  const known = new NetworkSet([...nginx.trustedProxies, ...members]);
  const { proxies = [] } = setupAt(nginxConf).setup ?? {};
  const unnamed = proxies.filter((proxy) =>
    !isWide(proxy) && !NEVER_BANNED.covers(proxy) && !known.covers(proxy)
  );
  if (unnamed.length === 0) return [];
  return [
    `[NGINX] trusted_proxies lacks ${listed(unnamed, 3)}, from which nginx takes clients' addresses ` +
    `(set_real_ip_from in ${nginxConf}): clients could get these proxies banned`,
  ];
}
