import type { Server } from "./server.ts";

/** Returns the kernel's elements of our bans, with the seconds until their ends. */
export async function inKernel(server: Server): Promise<Map<string, number | null>> {
  const { code, stdout } = await server.world.run(["nft", "-j", "list", "table", "inet", "strongmonitor"]);
  if (code !== 0) return new Map();
  const { nftables } = JSON.parse(stdout) as { nftables: { set?: { elem?: Member[] } }[] };
  return new Map(
    nftables.flatMap(({ set }) => set?.elem ?? []).map((member) =>
      typeof member === "string" ? [member, null] : [member.elem.val, member.elem.expires]
    ),
  );
}

type Member = string | { elem: { val: string; expires: number } };
