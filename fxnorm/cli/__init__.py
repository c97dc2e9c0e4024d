"""The `fxnorm` command: one module per subcommand."""

from fxnorm.cli.command import main, run

__all__ = ["main", "run"]
