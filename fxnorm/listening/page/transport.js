// The controls of a player: play, reference, place in the song, and the part that is repeated.

const SEEK_STEP_S = 1;

class Transport {
  constructor(player) {
    this.player = player;
    this.playButton = button("Play", () => player.toggle(), { class: "play" });
    this.referenceButton = button("Reference", () => player.play(REFERENCE), {
      class: "reference",
      "aria-pressed": "false",
      "aria-keyshortcuts": "0",
    });
    this.clock = make("span", { class: "clock", "aria-hidden": "true" });
    this.place = this.range("Place in the song", ({ target }) => player.seek(+target.value));
    this.from = this.range("Repeat from", () => this.setLoop(this.from));
    this.to = this.range("Repeat to", () => this.setLoop(this.to));
    this.element = make(
      "div",
      { class: "transport", role: "group", "aria-label": "Playing" },
      make("div", { class: "buttons" }, this.playButton, this.referenceButton, this.clock),
      this.labelled("Place", this.place),
      this.labelled("Repeat from", this.from),
      this.labelled("to", this.to),
    );
  }

  range(name, input) {
    return make("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "0.1",
      "aria-label": name,
      disabled: true,
      input,
    });
  }

  labelled(text, input) {
    return make("label", {}, make("span", { "aria-hidden": "true" }, text), input);
  }

  /** Once the player is loaded. */
  enable() {
    const { seconds } = this.player;
    for (const input of [this.place, this.from, this.to]) {
      input.max = seconds;
      input.disabled = false;
    }
    this.from.value = 0;
    this.to.value = seconds;
    this.show();
  }

  setLoop(moved) {
    const { seconds } = this.player;
    let from = +this.from.value;
    let to = +this.to.value >= +this.to.max - 0.1 ? seconds : +this.to.value;
    if (to - from < SHORTEST_LOOP_S) {
      if (moved === this.from) from = to - SHORTEST_LOOP_S;
      else to = from + SHORTEST_LOOP_S;
      from = Math.max(0, Math.min(from, seconds - SHORTEST_LOOP_S));
      to = Math.min(seconds, Math.max(to, SHORTEST_LOOP_S));
      this.from.value = from;
      this.to.value = to;
    }
    this.player.setLoop(from, to);
  }

  show() {
    const { player } = this;
    const where = player.where();
    const text = `${where.toFixed(1)} / ${player.seconds.toFixed(1)} s`;
    if (this.clock.textContent !== text) {
      this.clock.textContent = text;
      for (const input of [this.place, this.from, this.to]) {
        const seconds = input === this.place ? where : +input.value;
        input.setAttribute("aria-valuetext", `${seconds.toFixed(1)} seconds`);
      }
    }
    if (document.activeElement !== this.place || player.playing) this.place.value = where;
    const word = player.playing ? "Pause" : "Play";
    if (this.playButton.textContent !== word) this.playButton.textContent = word;
    const reference = player.playing && player.selected === REFERENCE;
    this.referenceButton.setAttribute("aria-pressed", String(reference));
    this.referenceButton.classList.toggle("playing", reference);
  }

  /** Keys that work anywhere on the page; true if this was one. */
  press(key, names) {
    if (/^[1-9]$/.test(key) && Number(key) <= names.length) {
      this.player.play(names[Number(key) - 1]);
    } else if (key === "0" || key.toLowerCase() === "r") this.player.play(REFERENCE);
    else if (key === " ") this.player.toggle();
    else if (key === ",") this.player.seek(this.player.where() - SEEK_STEP_S);
    else if (key === ".") this.player.seek(this.player.where() + SEEK_STEP_S);
    else return false;
    return true;
  }
}
