"""The effects of normalisation, one module each: what they measure, match and report."""
