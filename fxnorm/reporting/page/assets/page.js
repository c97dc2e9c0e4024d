"use strict";
(() => {
  // Long enough not to click, short enough to hear the switch as one.
  const RAMP_S = 0.012;
  const SEEK_STEP_S = 1;

  let context = null; // one for the page, made by the first click
  let current = null; // the only player, or the one last used: keys pressed outside the players go to it

  class Player {
    constructor(element) {
      this.element = element;
      this.seconds = Number(element.dataset.seconds);
      this.playButton = element.querySelector(".play");
      this.seekBar = element.querySelector(".seek");
      this.clock = element.querySelector(".clock");
      this.loopButton = element.querySelector(".loop");
      this.status = element.querySelector(".status");
      this.choices = [...element.querySelectorAll(".choose")];
      this.selected = 0;
      this.position = 0; // seconds, while nothing runs
      this.buffers = null;
      this.run = null; // { sources, gains, time, offset } while playing

      this.playButton.addEventListener("click", () => this.toggle());
      this.seekBar.addEventListener("input", () => this.seek(Number(this.seekBar.value)));
      this.loopButton.addEventListener("click", () => this.toggleLoop());
      this.choices.forEach((choice, index) => {
        choice.addEventListener("click", () => this.select(index));
      });
      element.querySelectorAll(".wave").forEach((wave, index) => {
        wave.addEventListener("click", (event) => {
          const box = wave.getBoundingClientRect();
          this.select(index);
          this.seek(((event.clientX - box.left) / box.width) * this.seconds);
        });
      });
      this.show();
    }

    get looping() {
      return this.loopButton.getAttribute("aria-pressed") === "true";
    }

    where() {
      if (!this.run) return this.position;
      const time = this.run.offset + Math.max(0, context.currentTime - this.run.time);
      return this.looping ? time % this.seconds : Math.min(time, this.seconds);
    }

    async toggle() {
      if (this.run) this.pause();
      else await this.play();
    }

    async play() {
      if (current && current !== this) current.pause();
      current = this;
      if (!context) context = new AudioContext();
      const resumed = context.resume();
      if (!this.buffers && !(await this.load())) return;
      await resumed;
      if (current === this && !this.run) this.start(this.position);
    }

    pause() {
      if (!this.run) return;
      this.position = this.where();
      this.stop();
      this.show();
    }

    async load() {
      this.element.classList.add("loading");
      try {
        this.buffers = await Promise.all(this.choices.map((_, index) => this.decode(index)));
        this.status.textContent = "";
      } catch (error) {
        this.status.textContent = `This browser can't decode the excerpts (${error.message}).`;
      }
      this.element.classList.remove("loading");
      return this.buffers;
    }

    decode(index) {
      const id = `audio-${this.element.dataset.song}-${index + 1}`;
      const bytes = atob(document.getElementById(id).textContent);
      return context.decodeAudioData(Uint8Array.from(bytes, (c) => c.charCodeAt(0)).buffer);
    }

    // All versions start at one moment and run on; switching only moves their gains.
    start(offset) {
      const time = context.currentTime + 0.02;
      const gains = [];
      const sources = this.buffers.map((buffer, index) => {
        const source = context.createBufferSource();
        const gain = context.createGain();
        source.buffer = buffer;
        source.loop = this.looping;
        source.loopEnd = Math.min(this.seconds, buffer.duration);
        gain.gain.value = index === this.selected ? 1 : 0;
        source.connect(gain).connect(context.destination);
        source.start(time, offset);
        gains.push(gain);
        return source;
      });
      const run = { sources, gains, time, offset };
      sources[0].addEventListener("ended", () => {
        if (this.run !== run) return;
        this.run = null;
        this.position = 0;
        this.show();
      });
      this.run = run;
      this.follow();
    }

    stop() {
      const { sources, gains } = this.run;
      this.run = null;
      const now = context.currentTime;
      gains.forEach((gain) => gain.gain.setTargetAtTime(0, now, RAMP_S / 3));
      sources.forEach((source) => source.stop(now + 2 * RAMP_S));
    }

    seek(seconds) {
      const target = Math.max(Math.min(seconds, this.seconds - 0.05), 0);
      if (this.run) {
        this.stop();
        this.start(target);
      } else {
        this.position = target;
      }
      current ??= this;
      this.show();
    }

    select(index) {
      if (index < 0 || index >= this.choices.length) return;
      this.selected = index;
      this.choices.forEach((choice, other) => {
        choice.setAttribute("aria-pressed", String(other === index));
      });
      current ??= this;
      if (!this.run) return;
      const now = context.currentTime;
      this.run.gains.forEach((gain, other) => {
        gain.gain.setTargetAtTime(other === index ? 1 : 0, now, RAMP_S / 3);
      });
    }

    toggleLoop() {
      const offset = this.where();
      this.loopButton.setAttribute("aria-pressed", String(!this.looping));
      if (!this.run) return;
      Object.assign(this.run, { offset, time: context.currentTime });
      this.run.sources.forEach((source) => {
        source.loop = this.looping;
      });
    }

    follow() {
      this.show();
      if (this.run) requestAnimationFrame(() => this.follow());
    }

    show() {
      const seconds = this.where();
      const playing = Boolean(this.run);
      const text = `${seconds.toFixed(1)} / ${this.seconds.toFixed(1)} s`;
      if (this.clock.textContent !== text) {
        this.clock.textContent = text;
        this.seekBar.setAttribute("aria-valuetext", `${seconds.toFixed(1)} seconds`);
      }
      this.seekBar.value = seconds;
      this.element.style.setProperty("--played", seconds / this.seconds);
      if (this.element.classList.toggle("playing", playing) !== this.wasPlaying) {
        this.wasPlaying = playing;
        this.playButton.setAttribute("aria-label", playing ? "Pause" : "Play");
      }
    }
  }

  const players = new Map(
    [...document.querySelectorAll(".player")].map((element) => [element, new Player(element)]),
  );
  if (players.size === 1) [current] = players.values();

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const inside = players.get(event.target.closest(".player"));
    // Elsewhere, links, buttons and scrolling tables keep their own keys.
    if (!inside && event.target.closest("a, button, [tabindex]")) return;
    const player = inside ?? current;
    if (player && press(player, event, Boolean(inside))) event.preventDefault();
  });

  function press(player, event, inside) {
    const { key, target } = event;
    if (key === " ") {
      // Play, loop and a version not yet chosen are buttons that space presses by itself.
      if (target.closest(".play, .loop, .choose[aria-pressed='false']")) return false;
      player.toggle();
    } else if (/^[1-9]$/.test(key)) player.select(Number(key) - 1);
    else if (key === "ArrowLeft") player.seek(player.where() - SEEK_STEP_S);
    else if (key === "ArrowRight") player.seek(player.where() + SEEK_STEP_S);
    else if (key === "ArrowUp" && inside) player.select(player.selected - 1);
    else if (key === "ArrowDown" && inside) player.select(player.selected + 1);
    else if (key === "Home" && inside) player.seek(0);
    else if (key.toLowerCase() === "l" && inside) player.toggleLoop();
    else return false;
    return true;
  }

  // Tables: the header's button sorts by its column, then the other way round.
  document.querySelectorAll("tr.sort button").forEach((button) => {
    button.addEventListener("click", () => sort(button.closest("th")));
  });

  function sort(header) {
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    const headers = [...header.parentElement.cells];
    headers.forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const column = headers.indexOf(header);
    const body = header.closest("table").tBodies[0];
    const rows = [...body.rows].sort((a, b) => {
      return compare(a.cells[column], b.cells[column], ascending ? 1 : -1);
    });
    body.append(...rows);
  }

  function compare(a, b, direction) {
    if (!("value" in a.dataset)) {
      return direction * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
    }
    // Cells without a value come last either way.
    if (a.dataset.value === "" || b.dataset.value === "") {
      return (a.dataset.value === "") - (b.dataset.value === "");
    }
    return direction * (Number(a.dataset.value) - Number(b.dataset.value));
  }
})();
