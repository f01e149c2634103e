"""Types of the area `demo`, generated from `avro/demo/*.avsc`.

Change those files, then run `streams schemas generate`; `streams schemas check` refuses an
edit made here.
"""

from typing import ClassVar

from streams.events.message import Result


class LikesCounted(Result, frozen=True, gc=False):
    """How many users like a photo.

    - photo_id: The photo.
    - likes: Users whose last act is a like.
    """

    avro_name: ClassVar[str] = "demo.LikesCounted"

    photo_id: int
    likes: int
