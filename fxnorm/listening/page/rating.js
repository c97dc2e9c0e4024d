// A page on which all mixes of a song are rated by one criterion.

const HEARD_S = 0.5; // a mix counts as heard from here on

/** What is kept of a page: where markers stand, which were moved, seconds heard, and comments. */
function freshPage(page) {
  return {
    values: [...page.starts],
    moved: page.starts.map(() => false),
    heard: page.starts.map(() => 0),
    comments: page.starts.map(() => ""),
  };
}

class RatingScreen {
  constructor(test, sound, page, kept, { save, next }) {
    Object.assign(this, { test, page, kept, save, next });
    this.names = page.stimuli;
    const files = Object.fromEntries(this.names.map((name) => [name, name]));
    this.player = new Player(sound, { ...files, [REFERENCE]: page.song.reference }, () =>
      this.show(),
    );
    this.before = [...kept.heard];
    this.transport = new Transport(this.player);
    this.axis = new Axis(page.criterion, kept.values, this.moved.bind(this), (place) =>
      this.play(place),
    );
    this.rows = this.names.map((_, place) => this.makeRow(place));
    this.remaining = make("p", { class: "remaining", id: "remaining" });
    this.nextButton = button("Next", () => this.leave(), {
      class: "primary",
      "aria-describedby": "remaining",
    });
    this.load = make("p", { class: "load" }, "Loading the mixes.");
    this.element = make(
      "section",
      { class: "rating" },
      make("h1", { tabindex: "-1" }, page.training ? `Try it out: ${page.criterion.title}` : page.criterion.title),
      make("p", { class: "question" }, page.criterion.question),
      page.training
        ? make("p", {}, "This page does not count. Hear and move every mix to go on.")
        : null,
      this.load,
      this.transport.element,
      this.axis.element,
      makeHint(this.names.length, test.referenceHint),
      make("ol", { class: "mixes", "aria-label": "Mixes" }, ...this.rows.map((row) => row.item)),
      make("div", { class: "going" }, this.remaining, this.nextButton),
    );
    this.show();
    this.fetch();
  }

  makeRow(place) {
    const name = `Mix ${place + 1}`;
    const play = button(`Play ${name.toLowerCase()}`, () => this.play(place), {
      "aria-pressed": "false",
    });
    const state = make("span", { class: "state" });
    const comment = make("textarea", {
      rows: "1",
      maxlength: "2000",
      "aria-label": `Comment on ${name.toLowerCase()} (optional)`,
      placeholder: "Comment (optional)",
      input: ({ target }) => {
        this.kept.comments[place] = target.value;
        this.save();
      },
    });
    comment.value = this.kept.comments[place];
    return { item: make("li", {}, play, state, comment), play, state };
  }

  async fetch() {
    try {
      await this.player.load();
    } catch (error) {
      this.load.replaceChildren(
        `The mixes could not be loaded (${error.message}). Check the connection. `,
        button("Try again", () => {
          this.load.replaceChildren("Loading the mixes.");
          this.fetch();
        }),
      );
      announce("The mixes could not be loaded.");
      return;
    }
    if (!this.element.isConnected) return;
    this.load.remove();
    this.transport.enable();
    announce("The mixes are ready.");
  }

  play(place) {
    if (!this.player.buffers) return;
    this.player.play(this.names[place]);
    announce(`Mix ${place + 1} is playing.`);
  }

  moved(place, value) {
    this.kept.values[place] = value;
    this.kept.moved[place] = true;
    this.save();
    this.show();
  }

  show() {
    const { player, kept } = this;
    this.transport.show();
    this.names.forEach((name, place) => {
      kept.heard[place] = round3(this.before[place] + player.heard[name]);
      const playing = player.playing && player.selected === name;
      const notes = this.missing(place);
      this.axis.mark(place, { playing, missing: notes });
      const { play, state } = this.rows[place];
      play.setAttribute("aria-pressed", String(playing));
      state.textContent = notes.length ? `not yet ${notes.join(" or ")}` : "heard and moved";
      state.classList.toggle("done", notes.length === 0);
    });
    const text = this.remainingText();
    if (this.remaining.textContent !== text) {
      this.remaining.textContent = text;
      this.nextButton.setAttribute("aria-disabled", String(text !== READY));
      this.save();
    }
  }

  /** What remains to be done with a mix. */
  missing(place) {
    const notes = [];
    if (this.kept.heard[place] < HEARD_S) notes.push("heard");
    if (!this.kept.moved[place]) notes.push("moved");
    return notes;
  }

  remainingText() {
    const list = (places) => places.map((place) => place + 1).join(", ");
    const places = this.names.map((_, place) => place);
    const unheard = places.filter((place) => this.kept.heard[place] < HEARD_S);
    const unmoved = places.filter((place) => !this.kept.moved[place]);
    const parts = [];
    if (unheard.length) parts.push(`Still to hear: ${list(unheard)}.`);
    if (unmoved.length) parts.push(`Still to move: ${list(unmoved)}.`);
    return parts.join(" ") || READY;
  }

  leave() {
    const text = this.remainingText();
    if (text !== READY) {
      announce(text);
      return;
    }
    this.close();
    this.next();
  }

  close() {
    this.player.pause();
    this.save();
  }

  press(event) {
    // What is typed, and what a control does with a key, goes first.
    if (event.target.closest("textarea, input[type=text], input[type=number]")) return;
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    if (!this.player.buffers) return;
    if (/^[1-9]$/.test(event.key) && Number(event.key) <= this.names.length) {
      announce(`Mix ${event.key} is playing.`);
    }
    if (this.transport.press(event.key, this.names)) event.preventDefault();
  }
}

const READY = "All mixes are heard and moved.";

function makeHint(count, reference) {
  const key = (text) => make("kbd", {}, text);
  const last = Math.min(count, 9);
  return make(
    "p",
    { class: "hint" },
    "Drag a marker, or use ",
    key("←"),
    " ",
    key("→"),
    " on it (with ",
    key("Shift"),
    " in large steps). Click a marker to hear the mix, or press ",
    key("1"),
    last > 1 ? " to " : "",
    last > 1 ? key(String(last)) : "",
    "; ",
    key("0"),
    " plays the reference, ",
    key("Space"),
    " pauses, ",
    key(","),
    " and ",
    key("."),
    ` wind back and forward. ${reference}`,
  );
}
