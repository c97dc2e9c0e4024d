"""The effects of normalisation: each measures a feature and matches a stem to a data set's."""
