"""What metrics are called in tables and figures, and in which order they come."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A metric's place in the paper's table."""

    group: str
    metric: str
    label: str


#: A group's mean error.
MEAN_ERROR = "mape_mean"
#: The paper's table: spectral, panning, dynamics, loudness.
TABLE_COLUMNS = (
    Column("spectral", "centroid_mean", "centroid"),
    Column("spectral", "bandwidth_mean", "bandwidth"),
    Column("spectral", "contrast_mean", "contrast"),
    Column("spectral", "rolloff_mean", "roll-off"),
    Column("spectral", "flatness_mean", "flatness"),
    Column("spectral", MEAN_ERROR, "mean"),
    Column("panning", "P_t_mean", "total"),
    Column("panning", "P_l_mean", "low"),
    Column("panning", "P_m_mean", "mid"),
    Column("panning", "P_h_mean", "high"),
    Column("panning", MEAN_ERROR, "mean"),
    Column("dynamics", "rms_mean", "RMS"),
    Column("dynamics", "dyn_mean", "spread"),
    Column("dynamics", "crest_mean", "crest"),
    Column("dynamics", MEAN_ERROR, "mean"),
    Column("loudness", "d_lufs", "LUFS"),
    Column("loudness", "d_peak", "peak"),
)

#: Further metrics of a system's summary.
FURTHER_COLUMNS = (
    Column("further", "balance", "balance (dB)"),
    Column("further", "mr_stft", "MR-STFT"),
    Column("further", "l1", "L1"),
    Column("loss", "loss_a", "loss A"),
    Column("loss", "loss_b", "loss B"),
)


def metric_label(group: str, metric: str) -> str:
    """Label of a metric with its group, such as 'panning, mid'."""
    for column in (*TABLE_COLUMNS, *FURTHER_COLUMNS):
        if (column.group, column.metric) == (group, metric):
            return column.label if group in ("further", "loss") else f"{group}, {column.label}"
    return f"{group}, {metric}"
