"""The FxNorm-Automix network."""
