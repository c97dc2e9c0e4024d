"""What the whole project takes for granted about audio."""

#: Sample rate in Hz at which everything is normalised, trained and mixed.
SAMPLE_RATE = 44_100
