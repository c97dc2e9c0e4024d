// What is kept over a reload and closing.

class Store {
  constructor(test) {
    this.key = `fxnorm-listening:${test.id}`;
    this.works = true;
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }

  write(state) {
    try {
      localStorage.setItem(this.key, JSON.stringify(state));
    } catch {
      this.works = false;
    }
  }

  clear() {
    try {
      localStorage.removeItem(this.key);
    } catch {
      this.works = false;
    }
  }
}
