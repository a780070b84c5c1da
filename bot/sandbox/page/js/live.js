// The news of the world over one WebSocket that comes back by itself.

const FIRST_DELAY = 300;
const LONGEST_DELAY = 8000;

/** Calls `onNews(kind, news)` for each thing told and `onLink(up)` when the connection comes and goes. */
export class Live {
  constructor({ onNews, onLink }) {
    this.onNews = onNews;
    this.onLink = onLink;
    this.delay = FIRST_DELAY;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/sandbox/events`);
    socket.addEventListener("open", () => {
      this.delay = FIRST_DELAY;
      this.onLink(true);
    });
    socket.addEventListener("message", (message) => {
      const { kind, ...news } = JSON.parse(message.data);
      this.onNews(kind, news);
    });
    socket.addEventListener("close", () => {
      this.onLink(false);
      setTimeout(() => this.connect(), this.delay);
      this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
    });
  }
}
