"""Ears for what a page plays in a browser."""

# Everything that is sent to the loudspeakers also goes to an analyser, in the page's own context.
_LISTEN = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    if (!window.tap) {
      window.tap = new AnalyserNode(target.context, { fftSize: 4096, smoothingTimeConstant: 0 });
      window.starts = [];
    }
    connect.call(this, window.tap);
  }
  return connect.call(this, target, ...rest);
};
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) {
  window.starts.push(when);
  return start.apply(this, when);
};
window.spectrum = () => {
  const bins = new Float32Array(window.tap.frequencyBinCount);
  window.tap.getFloatFrequencyData(bins);
  const step = window.tap.context.sampleRate / window.tap.fftSize;
  return FREQUENCIES.map((f) => bins[Math.round(f / step)]);
};
"""


def listening_script(frequencies_hz) -> str:
    """What lets `spectrum()` in the page tell the levels at these frequencies."""
    return _LISTEN.replace("FREQUENCIES", str(list(frequencies_hz)))
