"""A proxy that speaks Kafka's framing, to delay, drop, hold, reorder and cut by what is asked."""

from tests.faults.proxy.frames import GROUP_APIS, LEADER_APIS, Api, Direction, Frame
from tests.faults.proxy.proxy import Proxy
from tests.faults.proxy.rules import Pattern, Rule

__all__ = ["GROUP_APIS", "LEADER_APIS", "Api", "Direction", "Frame", "Pattern", "Proxy", "Rule"]
