"""One picture saved again is told from another drawing of the same layout, although an encoder sees the same."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from PIL import Image

from attune.labeler.sample.compose import render
from attune.labeler.sample.latents import Scene, draw_scenes
from attune.models.images.same_picture import is_same, same_shape, small_of


def with_another_expression(scene: Scene) -> Scene:
    """The same drawing, with other faces."""
    poses = tuple(replace(pose, mood=0.0 if pose.mood > 0.5 else 1.0) for pose in scene.poses)
    return replace(scene, poses=poses)


def saved_again(picture: Image.Image, scale: float, quality: int) -> Image.Image:
    content = BytesIO()
    picture.resize((round(picture.width * scale), round(picture.height * scale))).save(content, "JPEG", quality=quality)
    return Image.open(content)


def test_saved_again_it_is_the_same_and_with_other_faces_it_is_not() -> None:
    for scene in [one for one in draw_scenes(7, 40) if one.people][:4]:
        picture = render(scene, 400)
        for scale, quality in ((1.0, 70), (0.7, 60), (0.5, 80)):
            assert is_same(small_of(picture), small_of(saved_again(picture, scale, quality))), (scene, scale)
        assert not is_same(small_of(picture), small_of(render(with_another_expression(scene), 400))), scene


def test_another_crop_has_another_shape() -> None:
    assert same_shape((400, 600), (200, 301))
    assert not same_shape((400, 600), (400, 560))
