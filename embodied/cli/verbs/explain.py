"""`embodied explain`: what an error code means, with a file that is wrong and one that is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from embodied.cli.common.complete import Choices, quiet
from embodied.cli.common.output import JsonOption, ending, out, print_json, usage
from embodied.errors import nearest

PAGES = Path(__file__).parent.parent / "error_pages"
"""One page a code, which the wheel ships."""


@quiet
def _codes(incomplete: str) -> Choices:
    small = incomplete[:1] == "e"
    return [(code.lower() if small else code, title) for code, title in titles().items()]


def explain(
    code: Annotated[str | None, typer.Argument(help="an error code, such as E302", autocompletion=_codes)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say what an error code means, and how it is put right; without a code, list them all."""
    with ending(as_json):
        known = titles()
        if code is None:
            if as_json:
                print_json({"codes": known})
            else:
                typer.echo("\n".join(f"{name}  {title}" for name, title in known.items()))
            return
        asked = code.upper()
        if asked not in known:
            family = [other for other in known if other[:2] == asked[:2]] or known
            raise usage(f"there is no error code '{code}'", *nearest(asked, family), "embodied explain lists them all")
        text = (PAGES / f"{asked}.md").read_text("utf-8")
        if as_json:
            print_json({"code": asked, "title": known[asked], "page": text})
        elif out.is_terminal:
            out.print(Markdown(text, code_theme="ansi_dark"), soft_wrap=False)
        else:
            typer.echo(text, nl=False)


def titles() -> dict[str, str]:
    """What each code means, in one line, from the first line of its page."""
    firsts = (page.read_text("utf-8").partition("\n")[0] for page in sorted(PAGES.glob("E*.md")))
    return {code.removeprefix("# "): title for code, _, title in (first.partition(": ") for first in firsts)}
