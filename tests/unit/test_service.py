"""What a service says of itself."""

from __future__ import annotations

from services.counters import SERVICE


def test_folds_that_emit_nothing_may_be_folded_again():
    """Their results are upserts, which end as they were."""
    way = SERVICE.way_back("counters.contributions")

    assert "run `streams state reset counters --topic counters.contributions`" in way


def test_folds_that_emit_facts_are_not_sent_to_a_command_that_refuses_them():
    """Every fact would be appended a second time."""
    way = SERVICE.way_back("social.photos")

    assert "state reset" not in way
    assert "emit facts" in way


def test_inputs_that_the_service_writes_itself_come_last():
    """Catching up is judged in the order in which events flow."""
    assert "counters.contributions" == SERVICE.inputs[-1]
