"""The `fxnorm` command: one module per subcommand."""

from fxnorm.cli.command import main

__all__ = ["main"]
