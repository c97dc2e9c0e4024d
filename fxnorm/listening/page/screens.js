// The screens before and after rating: each is a section, and calls what it is given to go on.

function heading(text) {
  return make("h1", { tabindex: "-1" }, text);
}

function makeWelcome(test, begin) {
  const name = make("input", {
    type: "text",
    id: "participant",
    required: true,
    maxlength: "60",
    autocomplete: "off",
    spellcheck: "false",
  });
  const agree = make("input", { type: "checkbox", id: "agree", required: true });
  return make(
    "section",
    {},
    heading(test.title),
    ...paragraphs(test.consent),
    make(
      "form",
      {
        submit: (event) => {
          event.preventDefault();
          const participant = name.value.trim();
          if (participant) begin(participant);
          else name.focus();
        },
      },
      make("p", { class: "choice" }, agree, make("label", { for: "agree" }, "I agree")),
      make("p", { class: "field" }, make("label", { for: "participant" }, "Name or code"), name),
      make("button", { type: "submit", class: "primary" }, "Begin"),
    ),
  );
}

function makeResume(state, where, resume, startOver) {
  return make(
    "section",
    {},
    heading("Go on where you stopped?"),
    make("p", {}, `${state.participant} has begun this test on this computer (${where}).`),
    make(
      "div",
      { class: "buttons" },
      button("Go on", resume, { class: "primary" }),
      button("Start over", startOver),
    ),
  );
}

function makeInstructions(test, pages, next) {
  const count = pages === 1 ? "There is 1 page." : `There are ${pages} pages.`;
  return make(
    "section",
    {},
    heading("What to do"),
    ...paragraphs(test.instructions),
    make("p", {}, `${test.referenceHint} ${count}`),
    make("p", {}, "What you do is kept in this browser: you can close the page and go on later."),
    button("Next", next, { class: "primary" }),
  );
}

/** The reference of a song in a loop; `kept.volume` is what the slider says. */
class VolumeScreen {
  constructor(sound, reference, kept, { save, next }) {
    Object.assign(this, { save, next });
    this.player = new Player(sound, { [REFERENCE]: reference }, () => this.show());
    this.playButton = button("Play", () => this.player.toggle(), { class: "play", disabled: true });
    this.slider = make("input", {
      type: "range",
      id: "volume",
      min: "0",
      max: "1",
      step: "0.01",
      input: ({ target }) => {
        sound.setVolume(Number(target.value));
        kept.volume = Number(target.value);
        save();
      },
    });
    this.slider.value = kept.volume;
    this.note = make("p", { class: "remaining", id: "volume-note" }, "Loading the music.");
    this.nextButton = button("Next", () => this.leave(), {
      class: "primary",
      "aria-disabled": "true",
      "aria-describedby": "volume-note",
    });
    this.element = make(
      "section",
      {},
      heading("Volume"),
      make("p", {}, "Play the music and set a comfortable volume. Then leave it there."),
      make(
        "p",
        { class: "field" },
        this.playButton,
        make("label", { for: "volume" }, "Volume"),
        this.slider,
      ),
      make("div", { class: "going" }, this.note, this.nextButton),
    );
    this.fetch();
  }

  async fetch() {
    try {
      await this.player.load();
    } catch (error) {
      this.note.replaceChildren(
        `The music could not be loaded (${error.message}). `,
        button("Try again", () => {
          this.note.replaceChildren("Loading the music.");
          this.fetch();
        }),
      );
      return;
    }
    this.playButton.disabled = false;
    this.show();
  }

  get ready() {
    return this.player.heard[REFERENCE] >= HEARD_S;
  }

  show() {
    this.playButton.textContent = this.player.playing ? "Pause" : "Play";
    const text = this.ready ? "The volume is set." : "Play the music to go on.";
    if (this.note.textContent === text) return;
    this.note.textContent = text;
    this.nextButton.setAttribute("aria-disabled", String(!this.ready));
  }

  leave() {
    if (!this.ready) announce("Play the music to go on.");
    else {
      this.close();
      this.next();
    }
  }

  close() {
    this.player.pause();
  }

  press(event) {
    const own = event.key !== " " || event.target.closest("button, input");
    if (own || !this.player.buffers) return;
    this.player.toggle();
    event.preventDefault();
  }
}

function makeQuestionnaire(test, kept, save, next) {
  const field = (name, label, attributes) => {
    const tag = attributes.rows ? "textarea" : "input";
    const input = make(tag, {
      id: name,
      ...attributes,
      input: ({ target }) => {
        kept[name] = target.value;
        save();
      },
    });
    input.value = kept[name] ?? "";
    return make("p", { class: "field" }, make("label", { for: name }, label), input);
  };
  const radio = ([value, label]) => {
    const input = make("input", {
      type: "radio",
      name: "equipment",
      id: `equipment-${value}`,
      value,
      required: true,
      checked: kept.equipment === value,
      change: () => {
        kept.equipment = value;
        save();
      },
    });
    return make("p", { class: "choice" }, input, make("label", { for: input.id }, label));
  };
  const numbers = { type: "number", min: "0", max: "80", step: "any", required: true };
  return make(
    "section",
    {},
    heading("About you"),
    make(
      "form",
      {
        submit: (event) => {
          event.preventDefault();
          next();
        },
      },
      field("experience_years", "Years of mixing experience", numbers),
      make(
        "fieldset",
        {},
        make("legend", {}, "Listening on"),
        ...Object.entries(test.equipment).map(radio),
      ),
      field("equipment_model", "Which model (optional)", { type: "text", maxlength: "200" }),
      field("remarks", "Remarks (optional)", { rows: "4", maxlength: "4000" }),
      make("button", { type: "submit", class: "primary" }, "Finish"),
    ),
  );
}

/** The last screen: results to download, and sent if there is an address. */
class EndScreen {
  constructor(test, results, state, { save, startOver }) {
    Object.assign(this, { test, results, state, save });
    this.note = make("p", { class: "sending", role: "status" });
    this.again = button("Send again", () => this.send());
    const name = fileName(results);
    this.element = make(
      "section",
      {},
      heading("Thank you"),
      this.note,
      make("p", {}, test.postTo ? "You can also keep your results:" : HAND_IN),
      make(
        "div",
        { class: "buttons" },
        this.again,
        button("Download JSON", () => this.download(`${name}.json`, "application/json"), {
          class: "primary",
        }),
        button("Download CSV", () => this.download(`${name}.csv`, "text/csv")),
        button("Start over", startOver),
      ),
    );
    this.again.hidden = true;
    this.note.hidden = !test.postTo;
    if (test.postTo) {
      this.online = () => this.send();
      addEventListener("online", this.online);
      this.send();
    }
  }

  close() {
    removeEventListener("online", this.online);
  }

  download(name, type) {
    const csv = type === "text/csv";
    download(name, type, csv ? makeCsv(this.results) : JSON.stringify(this.results, null, 1));
    this.state.downloaded = true;
    this.save();
  }

  async send() {
    if (this.sending || this.state.sent) {
      if (this.state.sent) this.note.textContent = SENT;
      return;
    }
    this.sending = true;
    this.again.hidden = true;
    const told = (text) => {
      this.note.textContent = text;
    };
    this.state.sent = await send(this.test.postTo, this.results, told);
    this.sending = false;
    this.again.hidden = this.state.sent;
    told(this.state.sent ? SENT : UNSENT);
    this.save();
  }
}

const SENT = "Your ratings have been sent.";
const UNSENT =
  "Your ratings could not be sent. They are kept in this browser: send them again later, or download" +
  " them and hand in the file.";
const HAND_IN = "Please download your results and hand in the file.";
