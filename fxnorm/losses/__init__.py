"""Losses for pretraining and mixing."""

from fxnorm.losses.filters import FILTERS
from fxnorm.losses.stereo import StereoLoss, StereoLossA, StereoLossB
from fxnorm.losses.time_domain import TimeL1

__all__ = ["FILTERS", "StereoLoss", "StereoLossA", "StereoLossB", "TimeL1"]
