/** Messages that wait for one who takes them. Comes in: messages, at any time. Goes out: all that have come, in order. */
export class Inbox<T> {
  #messages: T[] = [];
  #arrived = Promise.withResolvers<void>();

  put(message: T): void {
    this.#messages.push(message);
    this.#arrived.resolve();
  }

  /** Takes all that have come, at least one. */
  async take(): Promise<T[]> {
    await this.#arrived.promise;
    this.#arrived = Promise.withResolvers();
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }
}
