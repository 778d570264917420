// The server's clock, estimated from what it sends: browsers' clocks may be minutes off.

const KEPT = 120;

export class ServerClock {
  constructor() {
    this.reset();
  }

  // After a break, or when the computer slept, earlier estimates say nothing.
  reset() {
    this.offsets = [];
  }

  // Call with the time at which the server sent a state record. The least delayed of the last
  // records is the best estimate; a backlog in the network then shows as age, as it must.
  heard(sentAtS) {
    this.offsets.push(performance.now() / 1000 - sentAtS);
    if (this.offsets.length > KEPT) this.offsets.shift();
  }

  now() {
    if (!this.offsets.length) return Date.now() / 1000;
    return performance.now() / 1000 - Math.min(...this.offsets);
  }
}
