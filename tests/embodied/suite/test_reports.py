"""What a suite tells CI servers and people: JUnit XML, GitHub's commands, and the page."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from embodied.launch import Overrides, load
from embodied.recording.timeline import Timeline
from embodied.runtime.episode import play
from embodied.suite import Result, Scenario, Summary, compare, github, run_seed
from embodied.suite.drawing import timeline
from embodied.suite.junit import junit
from embodied.suite.pictures import film
from embodied.suite.report import report
from embodied.suite.shapes import RESULT
from embodied.suite.stored import check_shape
from tests.embodied.suite.waiting import counted, job, launch_file

CELL = Scenario("cell", Path("launch/cell.yaml"), "sim", Overrides(sets=("robot=a b",), world="held_out"))
BAD = [
    Result("cell", 0, "passed", {"digest": "d0"}),
    Result("cell", 1, "failed", {"reason": "100% | lost,\nthe <block> fell", "digest": "d1"}),
    Result("cell", 2, "infrastructure", note="its process was killed by SIGKILL \x00", reruns=("the same",)),
]


def test_a_seed_is_run_again_by_one_command() -> None:
    command = "embodied run launch/cell.yaml --profile sim --world held_out --set 'robot=a b' --seed 7"
    assert CELL.command(7) == command


def test_junit_has_a_suite_a_scenario_and_a_case_a_seed() -> None:
    root = ET.fromstring(junit(Summary([CELL], BAD, 2.0)))
    (suite,) = root
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "cell",
        "3",
        "1",
        "1",
    )
    passed, failed, broken = suite
    assert [case.get("name") for case in suite] == ["seed 0", "seed 1", "seed 2"]
    assert passed.find("failure") is None
    failure, error = failed.find("failure"), broken.find("error")
    assert failure is not None
    assert failure.get("message") == "100% | lost,"
    assert CELL.command(1) in (failure.text or "")
    assert error is not None
    assert "SIGKILL" in (error.get("message") or "")
    assert "tried again after: the same" in (broken.findtext("system-out") or "")


def test_github_gets_one_annotation_a_scenario_with_everything_escaped() -> None:
    other = Scenario("other", Path("other.yaml"), "sim")
    lines = list(github.annotate(Summary([CELL, other], [*BAD, Result("other", 0, "passed")], 2.0)))
    (line,) = lines
    assert line.startswith("::error file=launch/cell.yaml,line=1,title=cell::2 of 3 seeds did not pass.%0A")
    assert "100%25 | lost,%0Athe <block> fell" in line
    assert "\n" not in line


def test_github_gets_a_page_for_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = Summary([CELL], BAD, 2.0)
    worse = summary.with_comparisons({"cell": compare(BAD, dict.fromkeys(range(3), ("passed", "")))})
    page = tmp_path / "summary.md"
    page.write_text("# before\n", encoding="utf-8")
    monkeypatch.setenv(github.SUMMARY_VARIABLE, str(page))
    github.write_page(worse)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# before\n")
    assert "| cell | 1 of 3 | 33.3% | 6.1% to 79.2% |" in text
    assert "newly failing 1;" in text
    assert f"`{CELL.command(1)}`" in text
    assert "100% \\| lost, the &lt;block> fell" in text


def test_a_page_stays_below_what_github_takes() -> None:
    long = [Result("cell", seed, "failed", {"reason": "x" * 100_000}) for seed in range(40)]
    assert len(github.page(Summary([CELL], long, 1.0)).encode()) < github.PAGE_MOST


class _Page(HTMLParser):
    """What a page links to, and whether its tags close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.targets: set[str] = set()
        self.links: set[str] = set()
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [given[name] or "" for name in ("src",) if name in given]
        self.targets |= {given["id"] or ""} if "id" in given else set()
        self.links |= {(given["href"] or "").removeprefix("#")} if "href" in given else set()
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_in_itself_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    work = job(tmp_path, fails=[1], about={"folder": tmp_path, "films": "all"})
    results = [film(work, run_seed(work, seed).result) for seed in range(2)]
    summary = counted(results, work, about={"versions": {"python": "<3>"}})
    text = report(summary, tmp_path)
    page = _Page(text)
    assert not page.open
    assert page.links <= page.targets
    assert len(page.sources) == 2
    assert all(source.startswith("data:video/mp4;base64,AAAA") for source in page.sources)
    assert "http" not in text.replace("http-equiv", "")
    for shown in ("1 of 2 passed", "a second has passed", work.scenario.command(1), "&lt;3&gt;", "silence clock"):
        assert shown in text
    assert summary.results[0].digest in text


def test_the_page_says_nothing_that_a_node_wrote_as_markup(tmp_path: Path) -> None:
    text = report(Summary([CELL], BAD, 2.0), tmp_path)
    assert "<block>" not in text
    assert "the &lt;block&gt; fell" in text
    assert not _Page(text).open


def test_a_timeline_shows_the_phase_that_a_node_is_stuck_in_and_the_words_that_it_gives(tmp_path: Path) -> None:
    recorded = Timeline()
    file = launch_file(tmp_path, "suite.waiting:Moody")
    file.write_text(file.read_text().partition("faults:")[0])
    play(load(file).graph(), 0, watchers=[recorded])
    data = recorded.as_dict()
    check_shape(data, RESULT["timeline?"])
    assert [span[2] for span in data["bands"]["clock mood"]] == ["LOOKING", "WAITING"]
    assert data["bands"]["clock mood"][1][:2] == [0.5, 1.0]
    assert [span[2] for span in data["bands"]["clock.target.label"]] == ["red", "blue"]
    root = ET.fromstring(timeline(data))
    words = [element.text for element in root.iter("text")]
    assert {"clock mood", "LOOKING", "WAITING", "red", "blue"} <= set(words)
    assert [bar.get("class") for bar in root.iter("rect")] == [
        "band even",
        "band last",
        "band even",
        "band last",
        "alive",
    ]
    # A phase that never changes has a row; a word that never changes has none.
    stuck = {**data, "bands": {"clock mood": [[0.0, 1.0, "LOOKING"]], "clock.target.label": [[0.0, 1.0, "red"]]}}
    labels = [element.text for element in ET.fromstring(timeline(stuck)).iter("text")]
    assert "clock mood" in labels
    assert "clock.target.label" not in labels


def test_a_timeline_has_a_row_a_node_a_guard_and_a_fault() -> None:
    data = {
        "end": 4.0,
        "nodes": {"camera": [[0.0, 1.0], [2.0, 4.0]]},
        "guards": {"guard": [[0.0, 0.5, "holding", "no <fresh> command"], [0.5, 4.0, "following", ""]]},
    }
    faults = [{"kind": "kill", "target": "camera", "at_s": 1.0, "for_s": None, "fault": "kill camera at 1 s"}]
    drawn = timeline(data, faults)
    root = ET.fromstring(drawn)
    labels = [element.text for element in root.iter("text")]
    assert labels[-3:] == ["kill camera", "guard says", "camera"]
    bars = [(bar.get("class"), round(float(bar.get("width") or 0))) for bar in root.iter("rect")]
    assert bars == [("fault", 384), ("holding", 64), ("following", 448), ("alive", 128), ("alive", 256)]
    assert "no &lt;fresh&gt; command" in drawn
