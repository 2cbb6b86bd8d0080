"""Virtual SO-101: six servos that the vendor's SDK accepts as real ones, with an arm behind them."""

from drivers.so101.virtual.device import VirtualSO101

__all__ = ["VirtualSO101"]
