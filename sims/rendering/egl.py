"""Renderer `egl`: OpenGL without a window, by moderngl, on a graphics card or in Mesa's software.

Needs the extra `render` and the system's libEGL with a driver; pixels depend on that driver, whose name is part of the
version.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np

from embodied.errors import MissingExtra, WorldFailed
from embodied.messages import Vector
from embodied.world import Rendering
from sims.rendering.mesh import Floats
from sims.rendering.models import Models
from sims.rendering.rasteriser import camera_matrix
from sims.rendering.renderer import SKY, Light
from sims.rendering.shadow import shadowed
from sims.rendering.view import View

VERTEX_SHADER = """
#version 330
uniform mat4 pose, projection;
uniform vec3 towards;
in vec3 corner, normal;
in vec2 place;
out float light;
out vec2 where;
void main() {
    gl_Position = projection * pose * vec4(corner, 1.0);
    light = max(dot(normal, towards), 0.0);
    where = place;
}
"""
FRAGMENT_SHADER = """
#version 330
uniform vec3 colour;
uniform float ambient, diffuse;
uniform int number;
uniform bool textured;
uniform sampler2D picture;
in float light;
in vec2 where;
layout(location = 0) out vec4 seen;
layout(location = 1) out int body;
void main() {
    vec3 own = textured ? colour * texture(picture, where).rgb : colour;
    seen = vec4(own * (ambient + diffuse * light), light);
    body = number;
}
"""


class Egl:
    """Renderer `egl` of models with OpenGL, without a window.

    Args:
        models: models of all bodies.
        light: light of the images.

    Raises:
        MissingExtra: moderngl is not installed.
        WorldFailed: there is no EGL, or no driver.
    """

    name: ClassVar[str] = "egl"

    def __init__(self, models: Models, light: Light) -> None:
        self._context = _context()
        self._light = light
        self._models = models
        self._frames = np.array([shape.frame for shape in models.shapes], dtype=np.intp)
        self._locals = np.array([shape.local for shape in models.shapes]).reshape(-1, 4, 4)
        self._program = self._context.program(vertex_shader=VERTEX_SHADER, fragment_shader=FRAGMENT_SHADER)
        self._meshes = [self._upload(number) for number in range(len(models.shapes))]
        self._target: Any = None

    @classmethod
    def version(cls) -> str:
        """Return the version of moderngl, and the driver.

        Raises:
            MissingExtra: moderngl is not installed.
            WorldFailed: there is no EGL, or no driver.
        """
        context = _context()
        return f"{_moderngl().__version__} ({context.info['GL_RENDERER']}, {context.info['GL_VERSION']})"

    def _upload(self, number: int) -> tuple[Any, Any]:
        context, mesh = self._context, self._models.shapes[number].mesh
        places = np.zeros((len(mesh.corners), 2), np.float32) if mesh.places is None else mesh.places
        corners = context.buffer(
            np.concatenate([mesh.corners, mesh.normals, places], axis=1, dtype=np.float32).tobytes()
        )
        faces = context.buffer(mesh.faces.tobytes())
        layout = [(corners, "3f 3f 2f", "corner", "normal", "place")]
        texture = None
        if mesh.texture is not None and mesh.places is not None:
            height, width = mesh.texture.shape[:2]
            # OpenGL begins at the lower left.
            texture = context.texture((width, height), 3, mesh.texture[::-1].tobytes(), alignment=1)
            texture.filter = (_moderngl().NEAREST, _moderngl().NEAREST)
        return context.vertex_array(self._program, layout, faces), texture

    def _framebuffer(self, view: View) -> Any:
        if self._target is None or self._target.size != (view.width, view.height):
            size, context = (view.width, view.height), self._context
            colours, bodies = context.texture(size, 4), context.texture(size, 1, dtype="i4")
            self._target = context.framebuffer([colours, bodies], context.depth_texture(size))
        return self._target

    def render(self, poses: Vector, view: View, *, rgb: bool, depth: bool, segmentation: bool) -> Rendering:
        """Render one exposure as `Renderer.render` does."""
        target, program = self._framebuffer(view), self._program
        world = poses[self._frames] @ self._locals
        placed = (camera_matrix(view) @ world).astype(np.float32)
        towards = (np.asarray(self._light.towards) @ world[:, :3, :3]).astype(np.float32)
        target.use()
        self._context.enable_only(_moderngl().DEPTH_TEST | _moderngl().CULL_FACE)
        target.clear(depth=1.0)
        program["projection"].write(np.ascontiguousarray(view.projection().T, np.float32).tobytes())
        program["ambient"], program["diffuse"] = self._light.ambient, self._light.diffuse
        for number, (shape, (mesh, texture)) in enumerate(zip(self._models.shapes, self._meshes, strict=True)):
            program["pose"].write(placed[number].T.tobytes())
            program["towards"].write(towards[number].tobytes())
            program["colour"], program["number"] = shape.colour, shape.body
            program["textured"] = texture is not None
            if texture is not None:
                texture.use()
            mesh.render()
        size = (view.height, view.width)
        buffer = np.flipud(np.frombuffer(target.depth_attachment.read(), np.float32).reshape(size))
        empty = buffer >= 1.0
        numbers = None
        if segmentation:
            numbers = np.flipud(np.frombuffer(target.color_attachments[1].read(), np.int32).reshape(size))
            numbers = np.where(empty, np.int32(-1), numbers)
        coloured = None
        if rgb:
            seen = np.flipud(np.frombuffer(target.color_attachments[0].read(), np.uint8).reshape(*size, 4))
            coloured = np.ascontiguousarray(seen[..., :3])
            coloured[empty] = SKY
            if self._light.shadows:
                hidden = self._shadow(world, view, np.ascontiguousarray(buffer))
                light = self._light.ambient + self._light.diffuse / 255 * seen[..., 3:][hidden].astype(np.float32)
                coloured[hidden] = (coloured[hidden] * (self._light.ambient / light)).astype(np.uint8)
        return Rendering(coloured, view.metres(buffer) if depth else None, numbers)

    def _shadow(self, world: Vector, view: View, depth: Floats) -> Any:
        meshes = [shape.mesh for shape in self._models.shapes]
        return shadowed(meshes, world, view, depth, self._light.towards).reshape(view.height, view.width)


def _moderngl() -> Any:
    try:
        import moderngl
    except ImportError:
        raise MissingExtra("moderngl", "render", "the renderer 'egl'") from None
    return moderngl


@cache
def _context() -> Any:
    moderngl = _moderngl()
    try:
        context = moderngl.create_context(standalone=True, require=330, backend="egl")
    except Exception as error:
        # moderngl has no error of its own for this: it raises whatever the loader of the system's library does.
        raise WorldFailed(
            f"the renderer 'egl' finds no OpenGL on this machine ({error}): apt install libegl1 libgl1-mesa-dri, "
            "or the driver of the graphics card"
        ) from None
    context.gc_mode = "auto"
    return context
