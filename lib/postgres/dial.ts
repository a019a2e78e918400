/** Connects to PostgreSQL: over TCP with or without TLS, or by a Unix socket. */
import { connect, isIP, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { untilAborted } from "../core/async.ts";
import { tried, UserError } from "../core/error.ts";
import { type Encryption, encryptionOf } from "./encryption.ts";
import { type DatabaseConfig, socketOf, spellServer } from "./database_config.ts";

/** A connection on which the server waits for the start of a session. */
export interface DialledConnection {
  readonly socket: Duplex;
  /** The server's address; undefined for a Unix socket. */
  readonly peer: string | undefined;
}

/** Connects and encrypts. An abort throws the reason of `signal`; later it destroys the socket. */
export async function dial(config: DatabaseConfig, signal: AbortSignal): Promise<DialledConnection> {
  const encryption = encryptionOf(config);
  const dialBy = encryption.mode === "verify-full" ? dialVerified : dialNode;
  const dialled = await Promise.race([dialBy(config, encryption, signal), untilAborted(signal)]);
  if (dialled === null) throw signal.reason;
  return dialled;
}

/** Asks for TLS before the session: 8 bytes with the number 80877103. The answer is S or N. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);
const YES = "S".charCodeAt(0);

function noTls(config: DatabaseConfig): UserError {
  return new UserError(
    `PostgreSQL at ${
      spellServer(config)
    } offers no TLS: set ssl = on with a certificate in its postgresql.conf`,
    69,
  );
}

/** Connects by Deno.startTls, which verifies certificate and name and works in any Deno. */
async function dialVerified(
  config: DatabaseConfig,
  { authorities }: Encryption,
  signal: AbortSignal,
): Promise<DialledConnection> {
  const { host, port } = config;
  // Deno cannot cancel an attempt: one that succeeds after the abort is closed then.
  let connection: Deno.Conn = await Deno.connect({ hostname: host, port });
  // It may be closed already.
  const close = () => tried(() => connection.close());
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    await connection.write(SSL_REQUEST);
    const answer = new Uint8Array(1);
    if (await connection.read(answer) === null || answer[0] !== YES) throw noTls(config);
    const caCerts = authorities === null ? [] : [authorities];
    const tls = await Deno.startTls(connection as Deno.TcpConn, { hostname: host, caCerts });
    connection = tls;
    await tls.handshake();
    return { socket: duplexOf(tls), peer: (tls.remoteAddr as Deno.NetAddr).hostname };
  } catch (error) {
    close();
    throw error;
  }
}

/** Bytes read at once. */
const CHUNK = 64 * 1024;

/** Wraps a connection as the stream that the driver takes. */
function duplexOf(connection: Deno.Conn): Duplex {
  return new Duplex({
    allowHalfOpen: false,
    read() {
      const chunk = new Uint8Array(CHUNK);
      connection.read(chunk).then(
        (length) => this.push(length === null ? null : chunk.subarray(0, length)),
        (error) => this.destroy(error),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(connection, chunk).then(() => done(), done);
    },
    final(done) {
      this.destroy();
      done();
    },
    destroy(error, done) {
      tried(() => connection.close());
      done(error);
    },
  });
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Connects by node:net, and encrypts by node:tls as the mode says. */
async function dialNode(
  config: DatabaseConfig,
  encryption: Encryption,
  signal: AbortSignal,
): Promise<DialledConnection> {
  const { host, port } = config;
  const path = socketOf(config);
  const socket = path === null ? connect(port, host) : connect(path);
  // Destroy without an error: the driver no longer listens for one when it gives up.
  signal.addEventListener("abort", () => socket.destroy());
  // Without this listener a refused connection ends the program: the driver adds its own later.
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).on("error", reject));
  const peer = socket.remoteAddress;
  if (encryption.mode === "disable") return { socket, peer };
  if (await answerOf(socket) === YES) return { socket: await encrypt(socket, host, encryption), peer };
  if (encryption.mode === "prefer") return { socket, peer };
  socket.destroy();
  throw noTls(config);
}

/** Returns the server's answer of one byte; undefined: it hung up, or sent more. */
function answerOf(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve) => {
    const hungUp = () => resolve(undefined);
    socket.once("close", hungUp);
    socket.once("data", (answer: Uint8Array) => {
      socket.off("close", hungUp);
      // More bytes in the clear come from an attacker in between.
      resolve(answer.length === 1 ? answer[0] : undefined);
    });
    socket.write(SSL_REQUEST);
  });
}

/** Encrypts. Only `verify-ca` verifies the certificate here, and no mode verifies the name. */
function encrypt(socket: Socket, host: string, { mode, authorities }: Encryption): Promise<Duplex> {
  const tls = connectTls({
    socket,
    servername: isIP(host) ? undefined : host,
    rejectUnauthorized: mode === "verify-ca",
    ca: authorities ?? undefined,
    checkServerIdentity: () => undefined,
  });
  return new Promise((resolve, reject) => tls.once("secureConnect", () => resolve(tls)).on("error", reject));
}
