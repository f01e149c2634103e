"""`streams` itself: the short list of names that users import."""

import streams


def test_every_public_name_resolves():
    """They are loaded when first used, so a wrong one would only fail in a user's program."""
    missing = [name for name in streams.__all__ if not hasattr(streams, name)]

    assert [] == missing


def test_dir_shows_the_public_names_and_nothing_else():
    """Completion in a shell or an editor is how many people find them."""
    assert sorted(streams.__all__) == [name for name in dir(streams) if not name.startswith("_")]


def test_no_public_name_is_listed_twice():
    """A merge may leave one in two groups."""
    assert len(set(streams.__all__)) == len(streams.__all__)
