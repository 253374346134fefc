"""What viewers receive of a frame: one rendering for all viewers of a variant, with the labels of its own faces."""

import asyncio
import gc
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


def new_renderer(annotations: FrameAnnotations | None = None, *earlier: Frame) -> FrameRenderer:
    return FrameRenderer(EarlierFrames(*earlier), annotations or FrameAnnotations(), 90)


def rendered(renderer: FrameRenderer, of: Frame, *variants: Variant):
    async def render():
        return await asyncio.gather(*(renderer.render(of, variant) for variant in variants))

    return asyncio.run(render())


def test_all_viewers_of_a_variant_share_one_encoding():
    renderer = new_renderer()
    found = rendered(renderer, frame(), *[Variant()] * 5, *[Variant(blur="mask")] * 5)
    assert renderer.encoded == {"front": 2}
    assert len({one.jpeg for one in found}) == 2


def test_a_request_for_any_width_gets_one_of_few_widths():
    assert {Variant.for_request(width, "off").width for width in range(160, 7680)} == set(WIDTHS)
    assert Variant.for_request(700, "off").width == 640
    assert Variant.for_request(None, "off").width is None


def test_a_narrower_picture_keeps_its_shape_and_its_boxes_their_places():
    annotations = FrameAnnotations()
    annotations.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
    (found,) = rendered(new_renderer(annotations), frame(), Variant(width=320))
    picture = images.decode(found.jpeg)
    assert picture.shape == (240, 320, 3)
    edge = picture[80:110, 110].astype(int)  # the left edge of the box, halved
    assert np.abs(edge - overlay.PALETTE[overlay.hue("happy")]).mean() < 60


def test_a_picture_is_not_enlarged_and_so_is_not_encoded_twice():
    renderer = new_renderer()
    wide, plain = rendered(renderer, frame(), Variant(width=1920), Variant())
    assert wide.jpeg == plain.jpeg
    assert renderer.encoded == {"front": 1}


def test_boxes_of_a_large_frame_are_drawn_where_the_faces_are_in_its_smaller_picture():
    large = frame(boxes=[tuple(3 * number for number in BOX)], width=1920)  # its picture has 640 pixels
    (found,) = rendered(new_renderer(), large, Variant())
    picture = images.decode(found.jpeg)
    edge = picture[160:220, 220].astype(int)
    assert np.abs(edge - overlay.NEUTRAL).mean() < 60


def test_a_frame_without_faces_is_not_encoded_again_unless_its_size_changes():
    renderer, plain = new_renderer(), frame(boxes=())
    (found,) = rendered(renderer, plain, Variant(blur="blur"))
    assert found.jpeg == plain.jpeg
    assert renderer.encoded.total() == 0


def test_faces_without_a_reading_and_faces_just_lost_by_the_detector_are_hidden():
    earlier, now = frame(1, boxes=(BOX, OTHER)), frame(2, boxes=(BOX,))
    (found,) = rendered(new_renderer(None, earlier), now, Variant(blur="mask", drawn=False))
    picture, original = images.decode(found.jpeg).astype(int), clip_frames(1)[0].astype(int)
    for left, top, width, height in (BOX, OTHER):
        part = picture[int(top) : int(top + height), int(left) : int(left + width)]
        assert part.std(axis=(0, 1)).max() < 4
    assert np.abs(picture[:, 500:] - original[:, 500:]).mean() < 6


def test_the_labels_on_a_frame_are_those_of_its_own_faces():
    annotations = FrameAnnotations()
    annotations.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
    annotations.add(FrameId("front", "e1", 2), 1132, 1, SAD)
    metadata = json.loads(rendered(new_renderer(annotations), frame(1), Variant(drawn=False))[0].metadata)
    assert (metadata["frame"], metadata["faces"][0]["emotion"]) == (1, "happy")
    assert metadata["faces"][0]["box"] == list(BOX)


def test_the_renderer_waits_briefly_for_a_reading():
    async def scene():
        annotations = FrameAnnotations()
        annotations.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
        rendering = asyncio.create_task(new_renderer(annotations).render(frame(2), Variant(drawn=False)))
        await asyncio.sleep(0.01)
        annotations.add(FrameId("front", "e1", 2), 1132, 1, SAD)
        return json.loads((await rendering).metadata)["faces"][0]["emotion"]

    assert asyncio.run(scene()) == "sad"


def test_a_face_without_a_reading_keeps_its_last_label_for_a_second():
    annotations = FrameAnnotations()
    annotations.add(FrameId("front", "e1", 1), 1066, 1, HAPPY)
    two, later = frame(2, boxes=(BOX, OTHER)), frame(40)
    metadata = json.loads(rendered(new_renderer(annotations), two, Variant(drawn=False))[0].metadata)
    assert [face.get("emotion") for face in metadata["faces"]] == ["happy", None]
    metadata = json.loads(rendered(new_renderer(annotations), later, Variant(drawn=False))[0].metadata)
    assert "emotion" not in metadata["faces"][0]


def test_labels_of_another_epoch_or_a_later_frame_are_not_used():
    annotations = FrameAnnotations()
    annotations.add(FrameId("front", "e0", 1), 1066, 1, HAPPY)
    annotations.add(FrameId("front", "e1", 9), 1600, 1, SAD)
    metadata = json.loads(rendered(new_renderer(annotations), frame(2), Variant(drawn=False))[0].metadata)
    assert "emotion" not in metadata["faces"][0]


def test_annotations_of_old_frames_are_dropped():
    annotations = FrameAnnotations()
    for number in range(500):
        annotations.add(FrameId("front", "e1", number), number, 1, HAPPY)
    assert sum(map(len, annotations._frames.values())) <= 64
    annotations.gone("front")
    assert not annotations._frames


def test_a_damaged_frame_raises_a_picture_error():
    with pytest.raises(PictureError):
        rendered(new_renderer(), frame(jpeg=b"\xff\xd8 no picture"), Variant())


def test_the_number_of_kept_variants_is_bounded():
    renderer = new_renderer()
    for number in range(100):
        header = frame().header.model_copy(update={"source": f"s{number}"})
        rendered(renderer, Frame(number, header, frame().jpeg, 0.0), Variant())
    assert len(renderer._tasks) <= 64


def test_a_narrowed_picture_is_never_wider_than_requested():
    assert images.narrowed(clip_frames(1)[0], 160).shape == (120, 160, 3)


@pytest.mark.filterwarnings("error")
def test_a_failure_is_retrieved_even_if_every_viewer_has_left():
    reported: list[str] = []

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["message"]))
        renderer = new_renderer()
        viewer = asyncio.create_task(renderer.render(frame(jpeg=b"\xff\xd8 no picture"), Variant()))
        await asyncio.sleep(0)
        (shared,) = [task for _, task in renderer._tasks.values()]
        viewer.cancel()
        await asyncio.wait({shared, viewer})
        assert viewer.cancelled()
        assert not shared.cancelled()
        renderer._tasks.clear()
        del shared, renderer, viewer
        gc.collect()

    asyncio.run(scene())
    assert reported == []
