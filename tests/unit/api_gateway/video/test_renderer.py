"""What viewers get of a frame: one print for all who want the same, with the words of this frame's faces."""

import asyncio
import json
import time

import numpy as np
import pytest

from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import Frame
from api_gateway.video.renderer import WIDTHS, FrameRenderer, Variant
from contract.errors import PictureError
from contract.judgement import Judgement
from contract.messages import FrameFace, FrameHeader, FrameId
from rendering import images, overlay
from tests.stage import clip_frames

BOX = (220.0, 100.0, 120.0, 140.0)
OTHER = (60.0, 120.0, 60.0, 70.0)
HAPPY = Judgement("happy", 95.0)
SAD = Judgement("sad", 90.0)


class EarlierFrames:
    """The frames that were kept before one."""

    def __init__(self, *frames: Frame) -> None:
        self.kept = frames

    def before(self, _frame: Frame, _seconds: float) -> list[Frame]:
        return list(self.kept)


def frame(number: int = 1, boxes=(BOX,), *, width: int | None = None, jpeg: bytes | None = None) -> Frame:
    picture = clip_frames(1)[0]
    faces = tuple(FrameFace(index=i, track=i + 1, box=box, score=0.9) for i, box in enumerate(boxes))
    header = FrameHeader(
        source="front",
        epoch="e1",
        frame=number,
        captured_ms=1000 + number * 66,
        width=width or picture.shape[1],
        height=picture.shape[0] * (width or picture.shape[1]) // picture.shape[1],
        faces=faces,
    )
    return Frame(number, header, images.encode(picture, 95) if jpeg is None else jpeg, time.monotonic())


def prints(captions: FrameAnnotations | None = None, *earlier: Frame) -> FrameRenderer:
    return FrameRenderer(EarlierFrames(*earlier), captions or FrameAnnotations(), 90)


def made(its_prints: FrameRenderer, of: Frame, *variants: Variant):
    async def ask():
        return await asyncio.gather(*(its_prints.of(of, variant) for variant in variants))

    return asyncio.run(ask())


def test_many_viewers_of_a_variant_cost_one_encode_and_another_variant_one_more():
    its_prints = prints()
    found = made(its_prints, frame(), *[Variant()] * 5, *[Variant(blur="mask")] * 5)
    assert its_prints.encoded == {"front": 2}
    assert len({one.jpeg for one in found}) == 2


def test_any_width_that_is_asked_for_gives_one_of_few():
    assert {Variant.asked(width, "off").width for width in range(160, 7680)} == set(WIDTHS)
    assert Variant.asked(700, "off").width == 640
    assert Variant.asked(None, "off").width is None


def test_a_narrower_picture_keeps_its_shape_and_its_boxes_their_places():
    captions = FrameAnnotations()
    captions.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
    (found,) = made(prints(captions), frame(), Variant(width=320))
    picture = images.decode(found.jpeg)
    assert picture.shape == (240, 320, 3)
    edge = picture[80:110, 110].astype(int)  # the left edge of the box, halved
    assert np.abs(edge - overlay.PALETTE[overlay.hue("happy")]).mean() < 60


def test_a_picture_is_not_enlarged_and_so_has_no_second_encode():
    its_prints = prints()
    wide, plain = made(its_prints, frame(), Variant(width=1920), Variant())
    assert wide.jpeg == plain.jpeg
    assert its_prints.encoded == {"front": 1}


def test_boxes_of_a_large_frame_are_drawn_where_the_faces_are_in_its_smaller_picture():
    large = frame(boxes=[tuple(3 * number for number in BOX)], width=1920)  # its picture has 640 pixels
    (found,) = made(prints(), large, Variant())
    picture = images.decode(found.jpeg)
    edge = picture[160:220, 220].astype(int)
    assert np.abs(edge - overlay.NEUTRAL).mean() < 60


def test_without_faces_or_wishes_the_picture_is_passed_on_as_it_came():
    its_prints, plain = prints(), frame(boxes=())
    (found,) = made(its_prints, plain, Variant(blur="blur"))
    assert found.jpeg == plain.jpeg
    assert its_prints.encoded.total() == 0


def test_a_face_that_nobody_has_read_is_hidden_and_so_is_one_that_the_detector_lost_just_now():
    earlier, now = frame(1, boxes=(BOX, OTHER)), frame(2, boxes=(BOX,))
    (found,) = made(prints(None, earlier), now, Variant(blur="mask", drawn=False))
    picture, original = images.decode(found.jpeg).astype(int), clip_frames(1)[0].astype(int)
    for left, top, width, height in (BOX, OTHER):
        part = picture[int(top) : int(top + height), int(left) : int(left + width)]
        assert part.std(axis=(0, 1)).max() < 4
    assert np.abs(picture[:, 500:] - original[:, 500:]).mean() < 6


def test_words_on_a_frame_are_those_of_its_own_faces():
    captions = FrameAnnotations()
    captions.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
    captions.add(FrameId("front", "e1", 2), 1132, 1, SAD)
    told = json.loads(made(prints(captions), frame(1), Variant(drawn=False))[0].told)
    assert (told["frame"], told["faces"][0]["emotion"]) == (1, "happy")
    assert told["faces"][0]["box"] == list(BOX)


def test_a_reading_that_comes_a_moment_later_is_waited_for():
    async def scene():
        captions = FrameAnnotations()
        captions.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
        printing = asyncio.create_task(prints(captions).of(frame(2), Variant(drawn=False)))
        await asyncio.sleep(0.01)
        captions.add(FrameId("front", "e1", 2), 1132, 1, SAD)
        return json.loads((await printing).told)["faces"][0]["emotion"]

    assert asyncio.run(scene()) == "sad"


def test_a_face_whose_reading_does_not_come_keeps_its_own_last_words_for_a_second():
    captions = FrameAnnotations()
    captions.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
    two, later = frame(2, boxes=(BOX, OTHER)), frame(40)
    told = json.loads(made(prints(captions), two, Variant(drawn=False))[0].told)
    assert [face.get("emotion") for face in told["faces"]] == ["happy", None]
    told = json.loads(made(prints(captions), later, Variant(drawn=False))[0].told)
    assert "emotion" not in told["faces"][0]


def test_words_of_another_epoch_or_a_later_frame_are_not_borrowed():
    captions = FrameAnnotations()
    captions.add(FrameId("front", "e0", 1), 1066, 1, HAPPY)
    captions.add(FrameId("front", "e1", 9), 1600, 1, SAD)
    told = json.loads(made(prints(captions), frame(2), Variant(drawn=False))[0].told)
    assert "emotion" not in told["faces"][0]


def test_what_was_told_of_old_frames_is_forgotten():
    captions = FrameAnnotations()
    for number in range(500):
        captions.add(FrameId("front", "e1", number), number, 1, HAPPY)
    assert sum(map(len, captions._told.values())) <= 64
    captions.forget("front")
    assert not captions._told


def test_a_damaged_frame_is_told():
    with pytest.raises(PictureError):
        made(prints(), frame(jpeg=b"\xff\xd8 no picture"), Variant())


def test_what_is_kept_of_many_variants_is_bounded():
    its_prints = prints()
    for number in range(100):
        header = frame().header.model_copy(update={"source": f"s{number}"})
        made(its_prints, Frame(number, header, frame().jpeg, 0.0), Variant())
    assert len(its_prints._shared) <= 64


def test_the_narrowed_picture_is_never_wider_than_asked():
    assert images.narrowed(clip_frames(1)[0], 160).shape == (120, 160, 3)
