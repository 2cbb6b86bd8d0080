"""`embodied explain`: page of an error code, with a wrong and a right launch file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from embodied.cli.common.complete import Choices, safe_completion
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, out, print_json, usage
from embodied.errors import nearest

PAGES = Path(__file__).parent.parent / "error_pages"
"""Folder with one page for each error code."""


@safe_completion
def _codes(incomplete: str) -> Choices:
    small = incomplete[:1] == "e"
    return [(code.lower() if small else code, title) for code, title in titles().items()]


def explain(
    code: Annotated[str | None, typer.Argument(help="an error code, such as E302", autocompletion=_codes)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Explain an error code and how to fix it; without a code, list them all."""
    with exit_on_error(as_json):
        known = titles()
        if code is None:
            if as_json:
                print_json({"codes": known})
            else:
                typer.echo("\n".join(f"{name}  {title}" for name, title in known.items()))
            return
        wanted = code.upper()
        if wanted not in known:
            family = [other for other in known if other[:2] == wanted[:2]] or known
            raise usage(f"there is no error code '{code}'", *nearest(wanted, family), "embodied explain lists them all")
        text = (PAGES / f"{wanted}.md").read_text("utf-8")
        if as_json:
            print_json({"code": wanted, "title": known[wanted], "page": text})
        elif out.is_terminal:
            out.print(Markdown(text, code_theme="ansi_dark"), soft_wrap=False)
        else:
            typer.echo(text, nl=False)


def titles() -> dict[str, str]:
    """Read the title of each error code for `embodied explain` from the first line of its page."""
    firsts = (page.read_text("utf-8").partition("\n")[0] for page in sorted(PAGES.glob("E*.md")))
    return {code.removeprefix("# "): title for code, _, title in (first.partition(": ") for first in firsts)}
