"""What the whole project takes for granted about audio."""

#: The stem types of MUSDB18, in the order of the networks' inputs.
STEMS = ("vocals", "bass", "drums", "other")
#: Sample rate in Hz at which everything is normalised, trained and mixed.
SAMPLE_RATE = 44_100

#: FFT length and hop of long-term spectra, in samples, and their number of bins.
LONG_TERM_FFT = 65_536
LONG_TERM_HOP = 16_384
LONG_TERM_BINS = LONG_TERM_FFT // 2 + 1
#: A channel or a stem whose peak is not above this level in dBFS is left alone.
GATE_DB = -50.0
#: Level in LUFS at which spectra are measured and equalised stems come out.
WORKING_LEVEL_LUFS = -30.0
#: Limit in dB of what the chain's equalisation and re-panning add to a band.
LARGEST_BAND_GAIN_DB = 24.0
#: Longest excerpt of audio that is logged of a run, in seconds.
LOGGED_S = 10.0
#: Loudness in LUFS and highest true peak in dBTP of what is played to people (EBU R 128).
PROGRAM_LUFS = -23.0
PROGRAM_CEILING_DBTP = -1.0
#: Zeros put before and after a stem while it is normalised, in samples.
PADDING = 65_536
