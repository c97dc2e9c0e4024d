// The way through the test.

const test = JSON.parse(document.getElementById("test").textContent);
const store = new Store(test);
const sound = new Sound();
const main = document.querySelector("main");
const bar = document.querySelector(".progress");

let state = null;
let plan = null;
let screen = null; // the one shown, if it plays or listens to keys

function begin(participant) {
  state = {
    participant,
    session: crypto.randomUUID?.() ?? randomId(),
    started: new Date().toISOString(),
    volume: 1,
    step: 0,
    training: null,
    pages: [],
    answers: {},
    finished: null,
    sent: false,
    downloaded: false,
  };
  go(0);
}

/** Where a page has no secure context, as from plain HTTP. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function save() {
  if (state) store.write(state);
  if (!store.works) announce("This browser keeps nothing: do not close the page before the end.");
}

function steps() {
  plan = makePlan(test, state.participant);
  return [
    { name: "What to do", show: () => makeInstructions(test, plan.pages.length, next) },
    { name: "Volume", show: showVolume },
    ...(plan.training ? [{ name: "Try it out", show: showTraining }] : []),
    ...plan.pages.map((page, number) => ({
      name: `Page ${number + 1} of ${plan.pages.length}`,
      show: () => showRating(page, number),
    })),
    { name: "About you", show: () => makeQuestionnaire(test, state.answers, save, next) },
    { name: "End", show: showEnd },
  ];
}

function go(step) {
  state.step = step;
  save();
  const all = steps();
  const { name, show } = all[step];
  place(show());
  bar.hidden = false;
  bar.querySelector("label").textContent = name;
  bar.querySelector("progress").max = all.length - 1;
  bar.querySelector("progress").value = step;
  bar.querySelector("progress").textContent = name;
}

function next() {
  go(state.step + 1);
}

/** Show a section, or a screen with one, and let readers begin at its heading. */
function place(shown) {
  screen?.close?.();
  screen = shown instanceof HTMLElement ? null : shown;
  main.replaceChildren(screen ? screen.element : shown);
  announce("");
  scrollTo(0, 0);
  main.querySelector("h1").focus({ preventScroll: true });
}

function showVolume() {
  sound.setVolume(state.volume);
  return new VolumeScreen(sound, plan.pages[0].song.reference, state, { save, next });
}

function showTraining() {
  state.training ??= freshPage(plan.training);
  return new RatingScreen(test, sound, plan.training, state.training, { save, next });
}

function showRating(page, number) {
  sound.setVolume(state.volume);
  state.pages[number] ??= freshPage(page);
  return new RatingScreen(test, sound, page, state.pages[number], { save, next });
}

function showEnd() {
  state.finished ??= new Date().toISOString();
  save();
  const results = makeResults(test, state, plan);
  return new EndScreen(test, results, state, { save, startOver });
}

function startOver() {
  const handedIn = state.sent || state.downloaded;
  const lost = state.finished && !handedIn ? "Your results are not handed in yet. " : "";
  const dialog = make(
    "dialog",
    { "aria-labelledby": "over", close: () => dialog.remove() },
    make("h2", { id: "over" }, "Start over?"),
    make("p", {}, `${lost}All that ${state.participant} has done is deleted from this browser.`),
    make(
      "div",
      { class: "buttons" },
      button("Keep it", () => dialog.close(), { class: "primary" }),
      button("Delete and start over", () => {
        dialog.close();
        store.clear();
        state = null;
        bar.hidden = true;
        place(makeWelcome(test, begin));
      }),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog")) return;
  screen?.press?.(event);
});
// A page that is hidden may be closed without another word.
document.addEventListener("visibilitychange", save);

state = store.read();
if (!state) place(makeWelcome(test, begin));
else if (state.finished) go(state.step);
else {
  const { name } = steps()[state.step];
  place(makeResume(state, name, () => go(state.step), startOver));
}
