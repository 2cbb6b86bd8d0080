"""Pages of the documentation site that are made from the code: error codes, command line, API, READMEs of packages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.main
from mkdocs.structure.files import File

from embodied.cli.app import application

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

PAGES = {
    "index.md": "README.md",
    "devices/index.md": "drivers/README.md",
    "worlds.md": "sims/README.md",
    "policies.md": "policies/README.md",
    **{
        f"devices/{page.parent.name}.md": f"drivers/{page.parent.name}/README.md"
        for page in ROOT.glob("drivers/*/README.md")
    },
    **{
        f"errors/{page.name}": f"embodied/cli/error_pages/{page.name}"
        for page in ROOT.glob("embodied/cli/error_pages/*.md")
    },
}
"""Pages that stand beside the code: where each is on the site, and where it is in the repository."""

REFERENCE = {
    "nodes": (
        "Nodes and graphs",
        (
            "embodied.node.node",
            "embodied.node.ports",
            "embodied.graph.graph",
            "embodied.launch.load",
            "embodied.runtime.lockstep",
            "embodied.runtime.report",
        ),
    ),
    "messages": (
        "Messages",
        (
            "embodied.messages.motion",
            "embodied.messages.vision",
            "embodied.messages.mobile",
            "embodied.messages.control",
        ),
    ),
    "guards": ("Guards", ("embodied.guards.arm", "embodied.guards.drone", "embodied.guards.vehicle")),
    "devices": ("Devices", ("embodied.devices.registry", "embodied.devices.virtual", "embodied.node.identity")),
    "worlds": ("Worlds", ("embodied.world", "embodied.bodies")),
    "testing": ("Tests", ("embodied.testing.plugin", "embodied.testing.run", "embodied.testing.driver_contract")),
    "exceptions": ("Exceptions", ("embodied.errors",)),
}
"""Pages of the API reference: title, and the modules whose docstrings make it."""

LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s#]+)(#[^)]*)?\)")

ESCAPED = re.compile(r"`([^`\n]*\\\|[^`\n]*)`")
"""Code in a table with an escaped bar, whose backslash Python-Markdown would show."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    made = {site: (ROOT / source).read_text("utf-8") for site, source in PAGES.items()}
    made["errors/index.md"] = "\n".join(error_index())
    made["reference/command_line.md"] = "\n".join(command_line())
    for name, (title, modules) in REFERENCE.items():
        made[f"reference/{name}.md"] = f"# {title}\n\n" + "\n\n".join(f"::: {module}" for module in modules) + "\n"
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages; what is no page becomes plain text."""
    del config, files
    here = page.file.src_uri
    source = PAGES.get(here, f"docs/{here}")
    homes = {repository: site for site, repository in PAGES.items()}

    def target(match: re.Match[str]) -> str:
        picture, text, path, anchor = match.groups()
        if "://" in path or here.startswith("reference/"):
            return match[0]
        wanted = (ROOT / source).parent.joinpath(path).resolve()
        repository = str(wanted.relative_to(ROOT)) if wanted.is_relative_to(ROOT) else ""
        if repository == "README.md" or wanted == ROOT / "docs" / "index.md":
            site = "index.md"
        elif repository in homes:
            site = homes[repository]
        elif repository.startswith("docs/"):
            site = repository.removeprefix("docs/")
        elif f"{repository}/README.md" in homes:
            site = homes[f"{repository}/README.md"]
        elif wanted.exists():
            return text  # a file or a folder of code
        else:
            return match[0]  # the strict build names it
        up = "../" * here.count("/")
        return f"{picture}[{text}]({up}{site}{anchor or ''})"

    return ESCAPED.sub(
        lambda code: "<code>" + html.escape(code[1]).replace("\\|", "&#124;") + "</code>", LINK.sub(target, markdown)
    )


def error_index() -> Iterator[str]:
    """List the error codes with the first line of each page."""
    yield "# Error codes\n"
    yield "`embodied explain E302` prints the page of a code: a wrong file, its message, and the file put right.\n"
    yield "| code | meaning |\n|---|---|"
    for page in sorted((ROOT / "embodied" / "cli" / "error_pages").glob("*.md")):
        title = page.read_text("utf-8").splitlines()[0].lstrip("# ").removeprefix(page.stem).lstrip(": ")
        yield f"| [{page.stem}]({page.name}) | {title} |"


def command_line() -> Iterator[str]:
    """Describe every verb with its arguments and options, from what `--help` is made of."""
    yield "# Command line\n"
    root: Any = typer.main.get_command(application())
    yield from verbs("embodied", root.commands.items())


def verbs(above: str, commands: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Describe some verbs, and those below them.

    Args:
        above: command that they follow, such as `embodied topic`.
        commands: name and command of each.
    """
    for name, command in sorted(commands):
        if command.hidden:
            continue
        below = getattr(command, "commands", None)
        if below:
            yield from verbs(f"{above} {name}", below.items())
            continue
        yield f"## {above} {name}\n"
        yield f"{(command.help or '').strip()}\n"
        rows = [row for parameter in command.params if (row := option(parameter)) and "--help" not in row]
        if rows:
            yield "| argument or option | meaning |\n|---|---|"
            yield from rows
            yield ""


def option(parameter: Any) -> str:
    """Format one parameter as a row of a table."""
    if getattr(parameter, "hidden", False):
        return ""
    name = (
        ", ".join(f"`{flag}`" for flag in parameter.opts)
        if parameter.opts[0].startswith("-")
        else f"`{parameter.name.upper()}`"
    )
    text = (getattr(parameter, "help", None) or "").replace("|", "\\|")
    return f"| {name} | {text} |"
