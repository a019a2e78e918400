/** Queues messages, and hands over all that have arrived, in order. */
export class Inbox<T> {
  #messages: T[] = [];
  #arrived = Promise.withResolvers<void>();

  put(message: T): void {
    this.#messages.push(message);
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
