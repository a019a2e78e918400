/**
 * Queues messages, and hands over all that have arrived, in order. A message that comes again in a
 * row is one: while a terminal takes nothing, each second adds another look.
 */
export class Inbox<T> {
  #messages: T[] = [];
  #arrived = Promise.withResolvers<void>();

  put(message: T): void {
    if (this.#messages.at(-1) !== message) this.#messages.push(message);
    this.#arrived.resolve();
  }

  /** Waits for at least one message, and takes all. */
  async take(): Promise<T[]> {
    await this.#arrived.promise;
    this.#arrived = Promise.withResolvers();
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }
}
