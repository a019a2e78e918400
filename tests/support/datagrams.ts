/**
 * Sends datagrams one by one from each address to each port of 127.0.0.1. Prints as JSON the ones
 * that arrived before the last one, which no firewall drops. Arguments: addresses and ports, each
 * joined by commas.
 */
import { createSocket, type Socket } from "node:dgram";

const [addresses, ports] = Deno.args.map((list) => list.split(","));
const came: string[] = [];
const LAST = "last";

function bind(address: string, port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => socket.bind(port, address, () => resolve(socket)));
}

function send(socket: Socket, { text, port }: { text: string; port: number }): Promise<void> {
  return new Promise((resolve) => socket.send(text, port, "127.0.0.1", () => resolve()));
}

for (const port of ports!.map(Number)) {
  const receiver = await bind("127.0.0.1", port);
  const ended = new Promise<void>((resolve) =>
    receiver.on("message", (text) => String(text) === LAST ? resolve() : came.push(`${text} ${port}`))
  );
  for (const address of [...addresses!, "127.0.0.1"]) {
    const sender = await bind(address);
    await send(sender, { text: address === "127.0.0.1" ? LAST : address, port });
    sender.close();
  }
  await ended;
  receiver.close();
}
console.log(JSON.stringify(came));
