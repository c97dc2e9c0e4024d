// Playing: all mixes of a song run on one clock, and switching only moves their gains.

const REFERENCE = "reference";
const RAMP_S = 0.012; // long enough not to click, short enough to hear a switch as one
const LEAD_S = 0.03;
const AHEAD_S = 1.5; // loops are scheduled before a hidden window's slow timers are due
const TICK_MS = 50;
const SHORTEST_LOOP_S = 0.5;
const SAMPLE_RATE = 44100;

const arriving = new Map();

/** Called by the files of stimuli: scripts load from any host and from a folder, other files not. */
globalThis.fxnormStimulus = (id, text) => {
  arriving.get(id)?.(text);
  arriving.delete(id);
};

function loadStimulus(id) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    arriving.set(id, resolve);
    script.src = `audio/${id}.js`;
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(`audio/${id}.js is not there`));
    });
    document.head.append(script);
  });
}

class Sound {
  constructor() {
    this.context = null;
    this.volume = 1;
  }

  /** One context, at the files' own rate, so that nothing is resampled here. */
  open() {
    if (!this.context) {
      this.context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
      this.master = this.context.createGain();
      this.master.gain.value = this.volume;
      this.master.connect(this.context.destination);
    }
    return this.context;
  }

  setVolume(volume) {
    this.volume = volume;
    this.master?.gain.setTargetAtTime(volume, this.context.currentTime, RAMP_S);
  }

  async decode(id) {
    const text = atob(await loadStimulus(id));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    return this.open().decodeAudioData(bytes.buffer);
  }
}

class Player {
  /** `names` are what can be played, `files` the stimulus of each; `changed` is told of changes. */
  constructor(sound, files, changed) {
    this.sound = sound;
    this.files = files;
    this.changed = changed;
    this.names = Object.keys(files);
    this.selected = null;
    this.buffers = null;
    this.seconds = 0;
    this.position = 0;
    this.loop = { from: 0, to: 0 };
    this.cycles = []; // those that sound or will sound, the earliest first
    this.heard = Object.fromEntries(this.names.map((name) => [name, 0]));
  }

  get playing() {
    return this.cycles.length > 0;
  }

  async load() {
    const buffers = await Promise.all(
      this.names.map((name) => this.sound.decode(this.files[name])),
    );
    this.buffers = Object.fromEntries(this.names.map((name, place) => [name, buffers[place]]));
    this.seconds = Math.min(...buffers.map((buffer) => buffer.duration));
    this.loop = { from: 0, to: this.seconds };
  }

  /** Play one of the names; the place in the song stays where it is. */
  async play(name) {
    if (!this.buffers) return;
    this.selected = name;
    await this.sound.open().resume();
    if (this.playing) {
      this.cycles.forEach((cycle) => this.mix(cycle));
    } else {
      this.begin(this.sound.context.currentTime + LEAD_S, this.position);
      this.last = this.sound.context.currentTime;
      this.timer = setInterval(() => this.tick(), TICK_MS);
    }
    this.changed();
  }

  pause() {
    if (!this.playing) return;
    this.tick();
    this.position = this.where();
    this.end();
    clearInterval(this.timer);
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play(this.selected ?? this.names[0]);
  }

  seek(seconds) {
    const { from, to } = this.loop;
    this.position = Math.min(Math.max(seconds, from), to - RAMP_S);
    if (this.playing) {
      this.end();
      this.begin(this.sound.context.currentTime + LEAD_S, this.position);
    }
    this.changed();
  }

  setLoop(from, to) {
    this.loop = { from, to };
    this.seek(this.playing ? this.where() : this.position);
  }

  where() {
    if (!this.playing) return this.position;
    const now = this.sound.context.currentTime;
    const cycle = this.cycles.findLast(({ time }) => time <= now) ?? this.cycles[0];
    return Math.min(cycle.offset + Math.max(0, now - cycle.time), this.loop.to);
  }

  /** Start all mixes at one moment, from `offset` to the loop's end, faded at both. */
  begin(time, offset) {
    const { context, master } = this.sound;
    const end = time + this.loop.to - offset;
    const fade = context.createGain();
    const out = context.createGain();
    fade.connect(out).connect(master);
    fade.gain.setValueAtTime(0, time);
    fade.gain.linearRampToValueAtTime(1, time + RAMP_S);
    fade.gain.setValueAtTime(1, Math.max(time + RAMP_S, end - RAMP_S));
    fade.gain.linearRampToValueAtTime(0, Math.max(time + 2 * RAMP_S, end));
    const gains = {};
    const sources = this.names.map((name) => {
      const source = context.createBufferSource();
      gains[name] = context.createGain();
      gains[name].gain.value = name === this.selected ? 1 : 0;
      source.buffer = this.buffers[name];
      source.connect(gains[name]).connect(fade);
      source.start(time, offset);
      source.stop(end + RAMP_S);
      return source;
    });
    this.cycles.push({ time, offset, end, gains, out, sources });
  }

  mix({ gains }) {
    const now = this.sound.context.currentTime;
    this.names.forEach((name) => {
      gains[name].gain.setTargetAtTime(name === this.selected ? 1 : 0, now, RAMP_S / 3);
    });
  }

  end() {
    const now = this.sound.context.currentTime;
    this.cycles.forEach(({ out, sources }) => {
      out.gain.setTargetAtTime(0, now, RAMP_S / 3);
      sources.forEach((source) => source.stop(now + 3 * RAMP_S));
    });
    this.cycles = [];
  }

  /** Count what is heard, and schedule the loop's next round, which begins in the last one's fade. */
  tick() {
    const now = this.sound.context.currentTime;
    this.heard[this.selected] += now - this.last;
    this.last = now;
    this.cycles = this.cycles.filter(({ end }) => end > now);
    const last = this.cycles.at(-1);
    if (!last) this.begin(now + LEAD_S, this.loop.from);
    else if (last.end - now < AHEAD_S) this.begin(Math.max(now, last.end - RAMP_S), this.loop.from);
    this.changed();
  }
}
