"""What the whole project takes for granted about stems."""

#: Stem types, in the order in which the networks take them.
STEMS = ("vocals", "bass", "drums", "other")

#: Sample rate in Hz at which everything is normalised, trained and mixed.
SAMPLE_RATE = 44_100
