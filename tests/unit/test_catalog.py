"""The catalog: where each type goes, found from a project, a package or a type."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from schemas.counters import PhotoContribution, PhotoCounters
from schemas.social import FriendRequested, PhotoLiked, PhotoUnliked
from streams.avro.lock import LockFile
from streams.codegen.generate import generate
from streams.codegen.source import Sources
from streams.errors import ConfigurationError, NotFound, UnknownEvent
from streams.events.message import Event, Message
from streams.topics.catalog import LOCK_FILE, Catalog
from tests.unit.shop import TOPICS, Shop, field

CATALOG = Catalog.of(PhotoLiked)
LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes a generated package importable, as an installed wheel would be."""
    made = []

    def install(package):
        shop = Shop(tmp_path, package)
        generate(Sources.read(shop.folder))
        monkeypatch.syspath_prepend(str(tmp_path))
        made.append(package)
        return shop

    yield install
    for name in [name for name in sys.modules if name.partition(".")[0] in made]:
        del sys.modules[name]


def test_a_type_knows_its_catalog():
    """Programs that only emit name no project and no folder."""
    assert CATALOG.package == "schemas"
    assert CATALOG is Catalog.of(PhotoCounters)


def test_this_repository_uses_its_own_schemas():
    """Also from a folder inside it."""
    assert CATALOG is Catalog.find(Path(__file__).parent)


def test_outside_any_project_the_built_in_catalog_is_used(tmp_path):
    """`streams get counters.photos 5` works anywhere."""
    assert CATALOG is Catalog.find(tmp_path)


def test_the_environment_names_a_package_where_no_project_is_at_hand(
    install, tmp_path_factory, monkeypatch
):
    """A container has the wheel and no pyproject.toml."""
    install("shop_env")
    monkeypatch.setenv("STREAMS_SCHEMAS", "shop_env")

    found = Catalog.find(tmp_path_factory.mktemp("elsewhere"))

    assert found.package == "shop_env"


def test_a_project_of_a_user_has_a_catalog_of_its_own(install):
    """Its types, topics and ids are all in its own folder."""
    shop = install("shop_own")

    found = Catalog.find(shop.root)
    placed = found.type("OrderPlaced")

    assert found is Catalog.of(placed)
    assert shop.folder == found.folder
    assert [placed] == list(found.types_of("shop.orders"))
    assert found.key_bytes(placed)(placed(order_id=7)) == b"7"


def test_a_package_needs_no_pyproject_and_no_schema_files(install):
    """A wheel may leave the .avsc files out: lock file and topics say it all."""
    shop = install("shop_wheel")
    (shop.root / "pyproject.toml").unlink()
    for path in (shop.folder / "avro").rglob("*.avsc"):
        path.unlink()

    placed = importlib.import_module("shop_wheel.shop").OrderPlaced

    assert Catalog.of(placed).schema(placed)["name"] == "shop.OrderPlaced"


def test_a_package_that_cannot_be_imported_says_what_names_it(tmp_path, monkeypatch):
    """The setting or the file to look at is in the message."""
    monkeypatch.setenv("STREAMS_SCHEMAS", "no_such_package")

    with pytest.raises(ConfigurationError, match="STREAMS_SCHEMAS"):
        Catalog.find(tmp_path)


def test_a_topic_is_found_by_name():
    """NotFound is exit code 4 and lists what there is."""
    assert CATALOG.topic("social.photos").partitions == 4
    with pytest.raises(NotFound, match=r"found no topic 'social\.photo'.*social\.photos"):
        CATALOG.topic("social.photo")


@pytest.mark.parametrize("name", ["PhotoLiked", "social.PhotoLiked"])
def test_a_type_is_found_by_record_name_and_full_name(name):
    """The JSON form of `emit` allows both."""
    assert PhotoLiked is CATALOG.type(name)


@pytest.mark.parametrize("name", ["Photoliked", "PhotoLiked ", "counters.PhotoLiked", ""])
def test_a_type_nobody_declared_is_unknown(name):
    """What may have been meant stands in the message, or else the names there are."""
    with pytest.raises(UnknownEvent, match=r"wanted (one of .*)?social\.PhotoLiked"):
        CATALOG.type(name)


@pytest.mark.parametrize("name", ["PhotoCounter", "PhotoContributed", "nothing-like-it"])
def test_what_only_folds_write_is_not_offered(name):
    """Whoever then tries it is refused again."""
    with pytest.raises(UnknownEvent) as refused:
        CATALOG.type(name)

    told = str(refused.value)
    assert "counters." not in told
    assert "LikesCounted" not in told
    assert "social.Photo" in told


@pytest.mark.parametrize("wrong", [Event, Message, SimpleNamespace])
def test_a_type_on_no_topic_is_unknown(wrong):
    """Whatever is handed to `emit`."""
    with pytest.raises(UnknownEvent, match="on no topic"):
        CATALOG.topic_of(wrong)


def test_types_of_a_topic_are_in_the_order_of_its_entry():
    """Facts first, then the upserts beside them."""
    names = [one.__name__ for one in CATALOG.types_of("counters.contributions")]

    assert ["ActorCounted", "PhotoContribution"] == names


def test_the_key_is_made_of_the_topics_fields():
    """A pair is in numeric order, whoever asked."""
    request = FriendRequested(requester_id=10, addressee_id=9)

    assert CATALOG.key_fields(PhotoLiked) == ("photo_id",)
    assert CATALOG.key_of(PhotoLiked)(LIKE) == 5
    assert CATALOG.key_bytes(PhotoLiked)(LIKE) == b"5"
    assert CATALOG.key_of(FriendRequested)(request) == (9, 10)
    assert CATALOG.key_bytes(FriendRequested)(request) == b"9:10"


def test_the_key_picks_the_partition_unless_the_topic_says_otherwise(install):
    """None spares the client the work of hashing twice."""
    shop = install("shop_by")
    shop.place(field("line"))
    keyed = 'key = ["order_id", "line"]\npartition_by = "order_id"'
    shop.topics(TOPICS.replace('key = "order_id"', keyed, 1))
    generate(Sources.read(shop.folder))
    found = Catalog("shop_by", shop.folder, LockFile.load(shop.folder / LOCK_FILE))
    placed = found.type("OrderPlaced")

    assert CATALOG.partition_bytes(PhotoLiked) is None
    assert found.key_bytes(placed)(placed(order_id=7, line=2)) == b"7:2"
    assert found.partition_bytes(placed)(placed(order_id=7, line=2)) == b"7"


def test_an_encoder_is_made_once_and_writes_the_newest_version():
    """The id in front of the bytes is the one in the lock file."""
    encoded = CATALOG.encoder(PhotoLiked).encode(LIKE)

    assert CATALOG.encoder(PhotoLiked) is CATALOG.encoder(PhotoLiked)
    assert b"\0" + CATALOG.schema_id(PhotoLiked).to_bytes(4, "big") == encoded[:5]
    assert CATALOG.registry.subject(CATALOG.schema_id(PhotoUnliked)) == (
        "social.photos-social.PhotoUnliked"
    )


def test_a_type_that_was_never_released_says_so(install):
    """Declared on a topic, but its subject has no version."""
    shop = install("shop_moved")
    shop.topics(TOPICS.replace("shop.orders", "shop.placed"))
    found = Catalog("shop_moved", shop.folder, LockFile.load(shop.folder / LOCK_FILE))

    with pytest.raises(ConfigurationError, match="streams schemas generate"):
        found.schema_id(found.type("OrderPlaced"))


class Elsewhere:
    """A registry that is no file; it gives one schema the id 77."""

    subjects = ("shop.orders-shop.OrderPlaced", "shop.counts-shop.OrdersCounted")

    def __init__(self, schema):
        self._schema = schema

    def newest_id(self, subject):
        return {self.subjects[0]: 77}[subject]

    def schema(self, schema_id):
        return {77: self._schema}[schema_id]

    def subject(self, schema_id):
        return {77: self.subjects[0]}[schema_id]


def test_schemas_come_from_the_registry_that_the_catalog_was_given(install):
    """A registry over HTTP draws ids of its own and leaves no file behind."""
    shop = install("shop_elsewhere")
    released = LockFile.load(shop.folder / LOCK_FILE)
    schema = released.schema(released.newest_id("shop.orders-shop.OrderPlaced"))
    (shop.folder / LOCK_FILE).unlink()

    found = Catalog("shop_elsewhere", shop.folder, Elsewhere(schema))

    placed = found.type("OrderPlaced")
    assert b"\0\0\0\0\x4d" == found.encoder(placed).encode(placed(order_id=7))[:5]
    assert schema == found.schema(placed)


def test_an_upsert_beside_facts_is_known_as_one():
    """The engine stamps facts and leaves upserts alone."""
    assert PhotoContribution.avro_name in CATALOG.topic_of(PhotoContribution).upserts
