"""Lowest and highest values that a mix may be asked for; the command reads them without torch."""

#: Gain of a track before the tracks of a stem are summed, in dB.
TRACK_GAIN_DB = (-60.0, 60.0)
#: Position of a track, from left to right.
PAN = (-1.0, 1.0)
#: Gain of a stem's share of the mix, in dB.
BALANCE_DB = (-60.0, 24.0)
#: Share of the mix beside the sum of the given stems.
WET = (0.0, 1.0)
#: Integrated loudness of the mix. Its gate lies 10 LU below it, and what is below -70 LUFS never
#: counts (ITU-R BS.1770-4): below -60 LUFS the softer parts of a mix would no longer be measured.
LOUDNESS_LUFS = (-60.0, 0.0)
#: Highest true peak of the mix, and what it is where nobody asks for another.
CEILING_DBTP = (-40.0, 0.0)
DEFAULT_CEILING_DBTP = -1.0
