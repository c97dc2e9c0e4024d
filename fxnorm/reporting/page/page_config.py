"""Settings of the report page."""

from pydantic import Field

from fxnorm.configuration import Config
from fxnorm.conventions import PROGRAM_CEILING_DBTP, PROGRAM_LUFS


class PageConfig(Config):
    """Audio in the page, and the page's size."""

    seconds: float = Field(default=10.0, ge=1.0)
    """Length of the excerpts in seconds."""
    target_lufs: float = Field(default=PROGRAM_LUFS, ge=-60.0, le=-5.0)
    """Integrated loudness of every excerpt in LUFS."""
    ceiling_dbtp: float = Field(default=PROGRAM_CEILING_DBTP, le=0.0)
    """Highest true peak before encoding in dBTP; a song that would exceed it is lowered as a
    whole."""
    bitrate_kbps: int = Field(default=160, ge=32, le=320)
    """Bit rate of the MP3 excerpts in kbit/s."""
    max_megabytes: float = Field(default=15.0, gt=0.0)
    """Largest page in megabytes (10^6 bytes)."""
