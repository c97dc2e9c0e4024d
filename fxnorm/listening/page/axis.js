// The axis: a marker per mix, dragged or moved by arrow keys.

const STEP = 0.01;
const LARGE_STEP = 0.1;
const DRAG_PX = 4; // less is a click
const GAP_PX = 6;

class Axis {
  /**
   * `values` are where markers stand, `changed(place, value)` is told when one is moved,
   * `picked(place)` when one is clicked.
   */
  constructor(criterion, values, changed, picked) {
    this.values = [...values];
    this.changed = changed;
    this.picked = picked;
    this.markers = values.map((_, place) => this.makeMarker(place, criterion));
    this.track = make("div", { class: "track" }, ...this.markers);
    this.element = make(
      "div",
      { class: "axis", role: "group", "aria-label": `${criterion.title}, a marker per mix` },
      this.track,
      make(
        "div",
        { class: "ends", "aria-hidden": "true" },
        make("span", {}, criterion.low),
        make("span", {}, criterion.title),
        make("span", {}, criterion.high),
      ),
    );
    this.track.style.setProperty("--rows", values.length);
    new ResizeObserver(() => this.arrange()).observe(this.track);
    values.forEach((_, place) => this.show(place));
  }

  makeMarker(place, criterion) {
    return make(
      "div",
      {
        class: "marker",
        role: "slider",
        tabindex: "0",
        "aria-label": `Mix ${place + 1}, ${criterion.title}`,
        "aria-valuemin": "0",
        "aria-valuemax": "100",
        "aria-orientation": "horizontal",
        keydown: (event) => this.press(event, place),
        pointerdown: (event) => this.grab(event, place),
      },
      String(place + 1),
    );
  }

  /** `missing` is what remains to be done with a mix. */
  mark(place, { playing, missing }) {
    const marker = this.markers[place];
    marker.classList.toggle("playing", playing);
    marker.classList.toggle("done", missing.length === 0);
    const notes = missing.map((word) => `, not yet ${word}`).join("");
    const text = `${this.percent(place)} of 100${notes}`;
    if (marker.getAttribute("aria-valuetext") !== text) {
      marker.setAttribute("aria-valuetext", text);
    }
  }

  percent(place) {
    return Math.round(this.values[place] * 100);
  }

  show(place) {
    const marker = this.markers[place];
    marker.style.setProperty("--x", this.values[place]);
    marker.setAttribute("aria-valuenow", this.percent(place));
  }

  set(place, value) {
    this.values[place] = round3(Math.min(Math.max(value, 0), 1));
    this.show(place);
    this.changed(place, this.values[place]);
  }

  press(event, place) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const steps = {
      ArrowLeft: -step,
      ArrowDown: -step,
      ArrowRight: step,
      ArrowUp: step,
      PageDown: -LARGE_STEP,
      PageUp: LARGE_STEP,
      Home: -1,
      End: 1,
    };
    if (event.key in steps) {
      this.set(place, this.values[place] + steps[event.key]);
      this.arrange();
    } else if (event.key === "Enter" || event.key === " ") this.picked(place);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  grab(event, place) {
    if (event.button !== 0) return;
    const marker = this.markers[place];
    const width = this.track.clientWidth - marker.offsetWidth;
    const from = { x: event.clientX, value: this.values[place] };
    let dragged = false;
    marker.focus({ preventScroll: true });
    marker.setPointerCapture(event.pointerId);
    event.preventDefault();
    const move = ({ clientX }) => {
      dragged ||= Math.abs(clientX - from.x) >= DRAG_PX;
      if (dragged) this.set(place, from.value + (clientX - from.x) / width);
      marker.classList.toggle("dragged", dragged);
    };
    const drop = ({ type }) => {
      marker.removeEventListener("pointermove", move);
      marker.removeEventListener("pointerup", drop);
      marker.removeEventListener("pointercancel", drop);
      marker.classList.remove("dragged");
      this.arrange();
      if (!dragged && type === "pointerup") this.picked(place);
    };
    marker.addEventListener("pointermove", move);
    marker.addEventListener("pointerup", drop);
    marker.addEventListener("pointercancel", drop);
  }

  /** Put markers that would cover each other above one another. */
  arrange() {
    const size = this.markers[0].offsetWidth;
    const width = this.track.clientWidth - size;
    const ends = [];
    const order = this.values.map((_, place) => place);
    order.sort((a, b) => this.values[a] - this.values[b] || a - b);
    for (const place of order) {
      const left = this.values[place] * width;
      let row = ends.findIndex((end) => end + GAP_PX <= left);
      if (row < 0) row = ends.length;
      ends[row] = left + size;
      this.markers[place].style.setProperty("--row", row);
    }
  }
}
